// Stands in for a header of the same name in the sources of Node.js, which the
// eiows package would fetch whole for it. eiows takes from it how to reach the
// TLS session of a socket; the servers here speak plain HTTP and never ask.
#pragma once

#include <openssl/ssl.h>

namespace node {

class BaseObject {};

namespace crypto {

struct NoSession {
  SSL *get() const { return nullptr; }
};

class TLSWrap : public BaseObject {
 public:
  const NoSession *getSSL() const { return nullptr; }
};

}  // namespace crypto
}  // namespace node

#define ASSIGN_OR_RETURN_UNWRAP(out, object) \
  static TLSWrapSSLGetter none;              \
  (void)(object);                            \
  *(out) = &none
