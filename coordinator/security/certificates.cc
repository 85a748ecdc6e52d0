#include "coordinator/security/certificates.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstring>  // for EVP_EC_gen, a macro
#include <memory>
#include <string_view>

namespace gridsweep {
namespace {

template <auto release>
struct Freed {
  template <typename T>
  void operator()(T* what) const {
    release(what);
  }
};
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;

absl::Status OpenSslError(const char* doing) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  return Internal("{}: {}", doing, text.data());
}

std::string Content(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

std::string ToPem(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return Content(bio.get());
}

std::string ToPem(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return Content(bio.get());
}

Certificate CertificateFromPem(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

bool IsAddress(const std::string& host) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

// A comma would begin another name.
bool IsHost(const std::string& host) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_*";
  return IsAddress(host) || (!host.empty() && host.find_first_not_of(kAllowed) == std::string::npos);
}

std::string AlternativeNames(const std::vector<std::string>& hosts) {
  std::string names;
  for (const std::string& host : hosts) {
    if (!names.empty()) names += ",";
    names += (IsAddress(host) ? "IP:" : "DNS:") + host;
  }
  return names;
}

bool AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// A certificate for `key` that lacks extensions, issuer and signature; null if `name` is too long for one (64 characters).
Certificate Begin(const std::string& name, EVP_PKEY* key, absl::Time now, absl::Duration valid) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  std::array<unsigned char, 8> serial{};
  RAND_bytes(serial.data(), static_cast<int>(serial.size()));
  serial[0] &= 0x7f;  // positive
  uint64_t number = 0;
  for (const unsigned char byte : serial) number = number << 8U | byte;
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), number);
  // Clocks of machines differ.
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), absl::ToTimeT(now - absl::Hours(1)));
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), absl::ToTimeT(now + valid));
  const bool named =
      X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0) == 1;
  if (!named || X509_set_pubkey(certificate.get(), key) != 1) return nullptr;
  return certificate;
}

}  // namespace

absl::StatusOr<Identity> MakeAuthority(const std::string& name, absl::Time now, absl::Duration valid) {
  const Key key(EVP_EC_gen("P-256"));
  if (key == nullptr) return OpenSslError("cannot make a key");
  const Certificate certificate = Begin(name, key.get(), now, valid);
  if (certificate == nullptr) return OpenSslError("cannot make a certificate authority");
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  const bool made =
      AddExtension(certificate.get(), certificate.get(), NID_basic_constraints,
                   "critical,CA:TRUE,pathlen:0") &&
      AddExtension(certificate.get(), certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign") &&
      AddExtension(certificate.get(), certificate.get(), NID_subject_key_identifier, "hash") &&
      X509_sign(certificate.get(), key.get(), EVP_sha256()) != 0;
  if (!made) return OpenSslError("cannot make a certificate authority");
  return Identity{ToPem(certificate.get()), ToPem(key.get())};
}

absl::StatusOr<Identity> IssueCertificate(const Identity& authority, const CertificateRequest& request,
                                          absl::Time now, absl::Duration valid) {
  const Certificate issuer = CertificateFromPem(authority.certificate);
  const Bio bio(BIO_new_mem_buf(authority.key.data(), static_cast<int>(authority.key.size())));
  const Key issuer_key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (issuer == nullptr || issuer_key == nullptr ||
      X509_check_private_key(issuer.get(), issuer_key.get()) != 1) {
    ERR_clear_error();
    return InvalidArgument("that is no certificate authority with its key");
  }
  for (const std::string& host : request.hosts) {
    if (!IsHost(host)) return InvalidArgument("'{}' is neither a host name nor an address", host);
  }
  const Key key(EVP_EC_gen("P-256"));
  if (key == nullptr) return OpenSslError("cannot make a key");
  const Certificate certificate = Begin(request.name, key.get(), now, valid);
  if (certificate == nullptr) return OpenSslError("cannot issue a certificate");
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get()));
  bool made = AddExtension(certificate.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE") &&
              AddExtension(certificate.get(), issuer.get(), NID_key_usage, "critical,digitalSignature") &&
              AddExtension(certificate.get(), issuer.get(), NID_ext_key_usage,
                           request.is_server ? "serverAuth" : "clientAuth") &&
              AddExtension(certificate.get(), issuer.get(), NID_subject_key_identifier, "hash") &&
              AddExtension(certificate.get(), issuer.get(), NID_authority_key_identifier, "keyid");
  if (made && !request.hosts.empty()) {
    made =
        AddExtension(certificate.get(), issuer.get(), NID_subject_alt_name, AlternativeNames(request.hosts));
  }
  if (!made || X509_sign(certificate.get(), issuer_key.get(), EVP_sha256()) == 0)
    return OpenSslError("cannot issue a certificate");
  return Identity{ToPem(certificate.get()), ToPem(key.get())};
}

absl::StatusOr<std::vector<std::string>> HostsOf(const std::string& pem) {
  const Certificate certificate = CertificateFromPem(pem);
  if (certificate == nullptr) {
    ERR_clear_error();
    return InvalidArgument("that is no certificate");
  }
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> hosts;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS && name->type != GEN_IPADD) continue;
    const ASN1_STRING* const value = name->type == GEN_DNS ? name->d.dNSName : name->d.iPAddress;
    const unsigned char* const data = ASN1_STRING_get0_data(value);
    const int size = ASN1_STRING_length(value);
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (name->type == GEN_DNS) {
      hosts.emplace_back(data, data + size);
    } else if ((size == 4 || size == 16) &&
               inet_ntop(size == 4 ? AF_INET : AF_INET6, data, text.data(), text.size()) != nullptr) {
      hosts.emplace_back(text.data());
    }
  }
  return hosts;
}

absl::StatusOr<absl::Time> ExpiryOf(const std::string& pem) {
  const Certificate certificate = CertificateFromPem(pem);
  if (certificate == nullptr) {
    ERR_clear_error();
    return InvalidArgument("that is no certificate");
  }
  tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1)
    return OpenSslError("cannot read a time");
  return absl::FromTM(end, absl::UTCTimeZone());
}

}  // namespace gridsweep
