#include "proxyengine/tls/certificate.h"

#include "proxyengine/tls/openssl_error.h"
#include "proxyengine/tls/openssl_objects.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>

#include <array>
#include <ctime>
#include <memory>

namespace mesh::tls {
namespace {

using ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>>;

std::string textOf(BIO* bio)
{
    char* bytes = nullptr;
    const auto count = BIO_get_mem_data(bio, &bytes);
    return {bytes, static_cast<std::size_t>(count)};
}

WallTime toWallTime(const ASN1_TIME* time)
{
    std::tm parts{};
    if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) {
        return {};
    }
    return WallTime(std::chrono::seconds(timegm(&parts)));
}

void addAddress(std::vector<std::string>& addresses, const ASN1_OCTET_STRING* bytes)
{
    std::array<char, INET6_ADDRSTRLEN> text{};
    const int size = ASN1_STRING_length(bytes);
    const int family = size == sizeof(in6_addr) ? AF_INET6 : AF_INET;
    if (size == sizeof(in_addr) || size == sizeof(in6_addr)) {
        static_cast<void>(inet_ntop(family, ASN1_STRING_get0_data(bytes), text.data(), text.size())
        );
        addresses.emplace_back(text.data());
    }
}

void addAlternativeNames(CertificateFacts& facts, const X509* certificate)
{
    std::vector<std::string>& names = facts.names;
    const NamesPtr found(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)
    ));
    for (int at = 0; found && at < sk_GENERAL_NAME_num(found.get()); ++at) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(found.get(), at);
        if (name->type == GEN_DNS || name->type == GEN_URI) {
            const ASN1_IA5STRING* text = name->d.ia5;
            const unsigned char* bytes = ASN1_STRING_get0_data(text);
            names.emplace_back(bytes, bytes + ASN1_STRING_length(text));
        } else if (name->type == GEN_IPADD) {
            addAddress(facts.addresses, name->d.iPAddress);
        }
    }
}

std::string nameText(const X509_NAME* name)
{
    const BioPtr out(BIO_new(BIO_s_mem()));
    X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253);
    return textOf(out.get());
}

bool addAlternativeName(X509* certificate, std::string_view name)
{
    const std::string value = "DNS:" + std::string(name);
    const ExtensionPtr extension(
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, value.c_str())
    );
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool fillCertificate(X509* certificate, EVP_PKEY* key, std::string_view name)
{
    X509_NAME* subject = X509_get_subject_name(certificate);
    const auto* bytes = static_cast<const unsigned char*>(static_cast<const void*>(name.data()));
    return X509_set_version(certificate, X509_VERSION_3) == 1
           && ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1
           && X509_NAME_add_entry_by_txt(
                  subject, "CN", MBSTRING_UTF8, bytes, static_cast<int>(name.size()), -1, 0
              ) == 1
           && X509_set_issuer_name(certificate, subject) == 1
           && X509_set_pubkey(certificate, key) == 1 && addAlternativeName(certificate, name)
           && X509_sign(certificate, key, EVP_sha256()) != 0;
}

} // namespace

CertificateFacts factsOf(X509* certificate)
{
    CertificateFacts facts;
    facts.subject = nameText(X509_get_subject_name(certificate));
    facts.issuer = nameText(X509_get_issuer_name(certificate));
    addAlternativeNames(facts, certificate);
    facts.notBefore = toWallTime(X509_get0_notBefore(certificate));
    facts.notAfter = toWallTime(X509_get0_notAfter(certificate));
    facts.isAuthority = X509_check_ca(certificate) != 0;
    if (const auto identity = identityOf(certificate)) {
        facts.identity = identity->toText();
    }
    facts.keyType = EVP_PKEY_get_base_id(X509_get0_pubkey(certificate));
    return facts;
}

Result<std::vector<CertificateFacts>> readAuthorities(std::string_view pem)
{
    std::vector<CertificateFacts> facts;
    for (const X509Ptr& certificate : readCertificates(pem)) {
        facts.push_back(factsOf(certificate.get()));
    }
    if (facts.empty()) {
        return fail(ErrorCode::Tls, "certificate cannot be read as PEM");
    }
    return facts;
}

Result<void> checkRevocationList(std::string_view pem)
{
    ERR_clear_error();
    const BioPtr text = readingBio(pem);
    const CrlPtr list(PEM_read_bio_X509_CRL(text.get(), nullptr, &refusePassword, nullptr));
    if (!list) {
        return takeOpensslError("revocation list cannot be read as PEM");
    }
    return {};
}

Result<CertificateFacts> checkCertificate(const CertificateText& text)
{
    ERR_clear_error();
    const BioPtr chain = readingBio(text.chainPem);
    const X509Ptr leaf(PEM_read_bio_X509(chain.get(), nullptr, &refusePassword, nullptr));
    if (!leaf) {
        return takeOpensslError("certificate cannot be read as PEM");
    }
    const BioPtr keyText = readingBio(text.keyPem);
    const KeyPtr key(PEM_read_bio_PrivateKey(keyText.get(), nullptr, &refusePassword, nullptr));
    if (!key) {
        return takeOpensslError("private key cannot be read as PEM");
    }
    if (X509_check_private_key(leaf.get(), key.get()) != 1) {
        ERR_clear_error();
        return fail(ErrorCode::Tls, "certificate does not match key");
    }

    return factsOf(leaf.get());
}

Result<CertificateText> makeSelfSigned(std::string_view name, WallTime now, Duration lifetime)
{
    const KeyPtr key(EVP_EC_gen("P-256"));
    const X509Ptr certificate(X509_new());
    if (!key || !certificate) {
        return takeOpensslError("cannot make a key");
    }
    const auto begin = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
    const auto end = begin + std::chrono::duration_cast<std::chrono::seconds>(lifetime);
    if (ASN1_TIME_set(X509_getm_notBefore(certificate.get()), begin.count()) == nullptr
        || ASN1_TIME_set(X509_getm_notAfter(certificate.get()), end.count()) == nullptr
        || !fillCertificate(certificate.get(), key.get(), name)) {
        return takeOpensslError("cannot make a certificate");
    }

    const BioPtr chainOut(BIO_new(BIO_s_mem()));
    const BioPtr keyOut(BIO_new(BIO_s_mem()));
    if (PEM_write_bio_X509(chainOut.get(), certificate.get()) != 1
        || PEM_write_bio_PrivateKey(keyOut.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr)
               != 1) {
        return takeOpensslError("cannot write a certificate");
    }
    return CertificateText{
        textOf(chainOut.get()), textOf(keyOut.get()), {std::string(name)}, {}, {}};
}

} // namespace mesh::tls
