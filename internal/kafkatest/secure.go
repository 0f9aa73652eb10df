//go:build unix

package kafkatest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"strings"
	"time"
)

// Secure is a listener with TLS and SASL: PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512.
type Secure struct {
	Roots          *x509.CertPool // that know the broker's certificate
	User, Password string         // who is let in

	port      string
	cert, key string // PEM
}

// Addr is host and port.
func (s Secure) Addr() string { return net.JoinHostPort("127.0.0.1", s.port) }

// newSecure makes a certificate and a password.
func newSecure(port string) (Secure, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Secure{}, err
	}
	now := time.Now()
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "broker"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		return Secure{}, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Secure{}, err
	}
	s := Secure{
		Roots: x509.NewCertPool(), User: "belfry", Password: rand.Text(), port: port,
		cert: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		key:  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})),
	}
	s.Roots.AppendCertsFromPEM([]byte(s.cert))
	return s, nil
}

// scram is the user as the storage tool wants it.
func (s Secure) scram(mechanism string) string {
	return fmt.Sprintf("%s=[name=%s,password=%s]", mechanism, s.User, s.Password)
}

// properties are the settings of the listener.
func (s Secure) properties() []string {
	const (
		listener = "listener.name.secure."
		login    = "org.apache.kafka.common.security."
	)
	line := func(text string) string { return strings.ReplaceAll(strings.TrimSpace(text), "\n", `\n`) }
	return []string{
		listener + "ssl.keystore.type=PEM",
		listener + "ssl.keystore.certificate.chain=" + line(s.cert),
		listener + "ssl.keystore.key=" + line(s.key),
		listener + "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
		listener + fmt.Sprintf("plain.sasl.jaas.config=%splain.PlainLoginModule required user_%s=%q;", login, s.User, s.Password),
		listener + "scram-sha-256.sasl.jaas.config=" + login + "scram.ScramLoginModule required;",
		listener + "scram-sha-512.sasl.jaas.config=" + login + "scram.ScramLoginModule required;",
	}
}
