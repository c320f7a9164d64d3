#pragma once

#include "proxyengine/base/handles.h"
#include "proxyengine/base/time.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

// Certificates for tests, good and bad, made while the test runs.
namespace mesh::test {

using KeyHandle = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using CertificateHandle = std::unique_ptr<X509, FreeWith<X509_free>>;
using ListHandle = std::unique_ptr<X509_CRL, FreeWith<X509_CRL_free>>;
using BioHandle = std::unique_ptr<BIO, FreeWith<BIO_free>>;

struct CertificateSpec
{
    std::string name = "a.test"; // Common name.
    std::string alternatives; // "DNS:a.test,URI:spiffe://shop.local/a"; empty: DNS:name.
    bool isAuthority = false;
    long serial = 1; // NOLINT(google-runtime-int): OpenSSL's own type.
    Duration begin = -std::chrono::hours(1); // From now.
    Duration end = std::chrono::hours(24);
};

struct IssuedCertificate
{
    KeyHandle key;
    CertificateHandle certificate;

    template <typename Write>
    static std::string textBy(const Write& write)
    {
        const BioHandle out(BIO_new(BIO_s_mem()));
        write(out.get());
        char* bytes = nullptr;
        const auto count = BIO_get_mem_data(out.get(), &bytes);
        return {bytes, static_cast<std::size_t>(count)};
    }
    [[nodiscard]] std::string pem() const
    {
        return textBy([this](BIO* out) { PEM_write_bio_X509(out, certificate.get()); });
    }
    [[nodiscard]] std::string keyPem() const
    {
        return textBy([this](BIO* out) {
            PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        });
    }
};

// `issuer`: null for one signed by itself.
inline IssuedCertificate issue(const CertificateSpec& spec, const IssuedCertificate* issuer)
{
    IssuedCertificate made{KeyHandle(EVP_EC_gen("P-256")), CertificateHandle(X509_new())};
    X509* out = made.certificate.get();
    const auto secondsOf = [](Duration time) {
        return std::chrono::duration_cast<std::chrono::seconds>(time).count();
    };
    X509_set_version(out, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(out), spec.serial);
    X509_gmtime_adj(X509_getm_notBefore(out), secondsOf(spec.begin));
    X509_gmtime_adj(X509_getm_notAfter(out), secondsOf(spec.end));
    const auto* name =
        static_cast<const unsigned char*>(static_cast<const void*>(spec.name.data()));
    X509_NAME_add_entry_by_txt(
        X509_get_subject_name(out),
        "CN",
        MBSTRING_UTF8,
        name,
        static_cast<int>(spec.name.size()),
        -1,
        0
    );
    X509_set_issuer_name(
        out, X509_get_subject_name(issuer == nullptr ? out : issuer->certificate.get())
    );
    X509_set_pubkey(out, made.key.get());
    const auto extend = [out](int kind, const std::string& text) {
        X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, text.c_str());
        X509_add_ext(out, extension, -1);
        X509_EXTENSION_free(extension);
    };
    extend(NID_basic_constraints, spec.isAuthority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (spec.isAuthority) {
        extend(NID_key_usage, "critical,keyCertSign,cRLSign");
    } else {
        extend(
            NID_subject_alt_name, spec.alternatives.empty() ? "DNS:" + spec.name : spec.alternatives
        );
        extend(NID_ext_key_usage, "serverAuth,clientAuth");
    }
    X509_sign(out, issuer == nullptr ? made.key.get() : issuer->key.get(), EVP_sha256());
    return made;
}

inline IssuedCertificate issueAuthority(const std::string& name)
{
    CertificateSpec spec;
    spec.name = name;
    spec.isAuthority = true;
    return issue(spec, nullptr);
}

// What the authority has taken back, in force from `begin` to `end`, counted from now.
inline std::string revoke(
    const IssuedCertificate& authority,
    const std::vector<long>& serials, // NOLINT(google-runtime-int)
    Duration end = std::chrono::hours(24)
)
{
    const ListHandle list(X509_CRL_new());
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(end).count();
    using TimeHandle = std::unique_ptr<ASN1_TIME, FreeWith<ASN1_STRING_free>>;
    const TimeHandle from(X509_gmtime_adj(nullptr, -86'400 * 2));
    const TimeHandle to(X509_gmtime_adj(nullptr, seconds));
    X509_CRL_set_version(list.get(), X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(authority.certificate.get()));
    X509_CRL_set1_lastUpdate(list.get(), from.get());
    X509_CRL_set1_nextUpdate(list.get(), to.get());
    for (const long serial : serials) { // NOLINT(google-runtime-int)
        X509_REVOKED* entry = X509_REVOKED_new();
        ASN1_INTEGER* number = ASN1_INTEGER_new();
        ASN1_INTEGER_set(number, serial);
        X509_REVOKED_set_serialNumber(entry, number);
        X509_REVOKED_set_revocationDate(entry, from.get());
        X509_CRL_add0_revoked(list.get(), entry);
        ASN1_INTEGER_free(number);
    }
    X509_CRL_sort(list.get());
    X509_CRL_sign(list.get(), authority.key.get(), EVP_sha256());
    return IssuedCertificate::textBy([&list](BIO* out) { PEM_write_bio_X509_CRL(out, list.get()); }
    );
}

} // namespace mesh::test
