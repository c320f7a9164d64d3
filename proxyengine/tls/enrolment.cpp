#include "proxyengine/tls/enrolment.h"

#include "proxyengine/tls/identity.h"
#include "proxyengine/tls/openssl_error.h"
#include "proxyengine/tls/openssl_objects.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <memory>

namespace mesh::tls {
namespace {

constexpr std::size_t kCommonNameMax = 64; // RFC 5280, ub-common-name.
constexpr Duration kClockSkew = std::chrono::minutes(5);

using RequestPtr = std::unique_ptr<X509_REQ, FreeWith<X509_REQ_free>>;
using OneExtensionPtr = std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>>;

void freeExtensions(STACK_OF(X509_EXTENSION) * extensions)
{
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}
using ExtensionsPtr = std::unique_ptr<STACK_OF(X509_EXTENSION), FreeWith<freeExtensions>>;

template <typename Write>
std::string pemOf(const Write& write)
{
    const BioPtr out(BIO_new(BIO_s_mem()));
    if (!out || write(out.get()) != 1) {
        return {};
    }
    char* bytes = nullptr;
    const auto count = BIO_get_mem_data(out.get(), &bytes);
    return {bytes, static_cast<std::size_t>(count)};
}

std::string keyPemOf(EVP_PKEY* key)
{
    return pemOf([key](BIO* out) {
        return PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    });
}

bool addCommonName(X509_NAME* subject, std::string_view name)
{
    const auto* bytes = static_cast<const unsigned char*>(static_cast<const void*>(name.data()));
    return X509_NAME_add_entry_by_txt(
               subject, "CN", MBSTRING_UTF8, bytes, static_cast<int>(name.size()), -1, 0
           )
           == 1;
}

bool addExtension(X509* certificate, int kind, const char* text)
{
    const OneExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, nullptr, kind, text));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool addRandomSerial(X509* certificate)
{
    std::uint64_t serial = 0;
    if (RAND_bytes(
            static_cast<unsigned char*>(static_cast<void*>(&serial)),
            static_cast<int>(sizeof serial)
        )
        != 1) {
        return false;
    }
    serial >>= 1U; // Positive in every reader's eyes.
    return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial) == 1;
}

bool setValidity(X509* certificate, WallTime begin, WallTime end)
{
    const auto secondsOf = [](WallTime time) {
        return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
    };
    return ASN1_TIME_set(X509_getm_notBefore(certificate), secondsOf(begin)) != nullptr
           && ASN1_TIME_set(X509_getm_notAfter(certificate), secondsOf(end)) != nullptr;
}

WallTime later(WallTime time, Duration by)
{
    return time + std::chrono::duration_cast<WallTime::duration>(by);
}

Result<void> checkName(std::string_view name)
{
    if (name.empty() || name.size() > kCommonNameMax) {
        return fail(ErrorCode::InvalidArgument, "a name needs 1 to 64 bytes");
    }
    return {};
}

// The alternative names a request asks for; null: none.
OneExtensionPtr alternativesOf(X509_REQ* request)
{
    const ExtensionsPtr asked(X509_REQ_get_extensions(request));
    const int at = X509v3_get_ext_by_NID(asked.get(), NID_subject_alt_name, -1);
    return OneExtensionPtr(at < 0 ? nullptr : X509_EXTENSION_dup(X509v3_get_ext(asked.get(), at)));
}

} // namespace

Result<KeyAndRequest> makeRequest(std::string_view name, std::string_view identity)
{
    ERR_clear_error();
    MESH_TRY_VOID(checkName(name));
    if (!identity.empty() && !parseSpiffeId(identity)) {
        return fail(ErrorCode::InvalidArgument, "the identity is no SPIFFE ID");
    }
    const KeyPtr key(EVP_EC_gen("P-256"));
    const RequestPtr request(X509_REQ_new());
    const ExtensionsPtr asked(sk_X509_EXTENSION_new_null());
    const std::string names =
        identity.empty() ? "DNS:" + std::string(name) : "URI:" + std::string(identity);
    X509_EXTENSION* alternatives =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
    if (alternatives == nullptr || !asked
        || sk_X509_EXTENSION_push(asked.get(), alternatives) == 0) {
        X509_EXTENSION_free(alternatives);
        return takeOpensslError("cannot write the names of a request");
    }
    const bool isMade = key && request && X509_REQ_set_version(request.get(), 0) == 1
                        && addCommonName(X509_REQ_get_subject_name(request.get()), name)
                        && X509_REQ_set_pubkey(request.get(), key.get()) == 1
                        && X509_REQ_add_extensions(request.get(), asked.get()) == 1
                        && X509_REQ_sign(request.get(), key.get(), EVP_sha256()) != 0;
    if (!isMade) {
        return takeOpensslError("cannot make a request");
    }
    KeyAndRequest made;
    made.keyPem = keyPemOf(key.get());
    made.requestPem = pemOf([&](BIO* out) { return PEM_write_bio_X509_REQ(out, request.get()); });
    if (made.keyPem.empty() || made.requestPem.empty()) {
        return takeOpensslError("cannot write a request");
    }
    return made;
}

Result<CertificateText> makeAuthority(std::string_view name, WallTime now, Duration lifetime)
{
    ERR_clear_error();
    MESH_TRY_VOID(checkName(name));
    const KeyPtr key(EVP_EC_gen("P-256"));
    const X509Ptr made(X509_new());
    const bool isMade = key && made && X509_set_version(made.get(), X509_VERSION_3) == 1
                        && addRandomSerial(made.get())
                        && setValidity(made.get(), later(now, -kClockSkew), later(now, lifetime))
                        && addCommonName(X509_get_subject_name(made.get()), name)
                        && X509_set_issuer_name(made.get(), X509_get_subject_name(made.get())) == 1
                        && X509_set_pubkey(made.get(), key.get()) == 1
                        && addExtension(made.get(), NID_basic_constraints, "critical,CA:TRUE")
                        && addExtension(made.get(), NID_key_usage, "critical,keyCertSign,cRLSign")
                        && X509_sign(made.get(), key.get(), EVP_sha256()) != 0;
    if (!isMade) {
        return takeOpensslError("cannot make an authority");
    }
    CertificateText text;
    text.chainPem = pemOf([&](BIO* out) { return PEM_write_bio_X509(out, made.get()); });
    text.keyPem = keyPemOf(key.get());
    return text;
}

Result<std::string> signRequest(
    std::string_view requestPem, const CertificateText& authority, WallTime now, Duration lifetime
)
{
    MESH_TRY_VOID(checkCertificate(authority));
    ERR_clear_error();
    const BioPtr requestText = readingBio(requestPem);
    const RequestPtr request(
        PEM_read_bio_X509_REQ(requestText.get(), nullptr, &refusePassword, nullptr)
    );
    if (!request) {
        return takeOpensslError("request cannot be read as PEM");
    }
    EVP_PKEY* const asked = X509_REQ_get0_pubkey(request.get());
    if (asked == nullptr || X509_REQ_verify(request.get(), asked) != 1) {
        ERR_clear_error();
        return fail(ErrorCode::Tls, "the request is not signed with its own key");
    }
    const std::vector<X509Ptr> issuers = readCertificates(authority.chainPem);
    const BioPtr keyText = readingBio(authority.keyPem);
    const KeyPtr key(PEM_read_bio_PrivateKey(keyText.get(), nullptr, &refusePassword, nullptr));
    const X509Ptr made(X509_new());
    const OneExtensionPtr alternatives = alternativesOf(request.get());
    const bool isMade =
        made && key && !issuers.empty() && X509_set_version(made.get(), X509_VERSION_3) == 1
        && addRandomSerial(made.get())
        && setValidity(made.get(), later(now, -kClockSkew), later(now, lifetime))
        && X509_set_subject_name(made.get(), X509_REQ_get_subject_name(request.get())) == 1
        && X509_set_issuer_name(made.get(), X509_get_subject_name(issuers.front().get())) == 1
        && X509_set_pubkey(made.get(), asked) == 1
        && addExtension(made.get(), NID_basic_constraints, "critical,CA:FALSE")
        && addExtension(made.get(), NID_key_usage, "critical,digitalSignature")
        && addExtension(made.get(), NID_ext_key_usage, "serverAuth,clientAuth")
        && (!alternatives || X509_add_ext(made.get(), alternatives.get(), -1) == 1)
        && X509_sign(made.get(), key.get(), EVP_sha256()) != 0;
    if (!isMade) {
        return takeOpensslError("cannot sign the request");
    }
    return pemOf([&](BIO* out) { return PEM_write_bio_X509(out, made.get()); });
}

} // namespace mesh::tls
