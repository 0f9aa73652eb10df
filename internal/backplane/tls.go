package backplane

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// TLS names files, all PEM, for a Redis with certificates of its own. The zero
// value trusts what the system trusts, and shows no certificate.
type TLS struct {
	CA          string // authorities to trust in place of the system's
	Certificate string // to show to Redis
	Key         string // of Certificate
}

// filesError says that the files are not what they should be.
type filesError struct{ error }

// Unwrap returns the cause.
func (e *filesError) Unwrap() error { return e.error }

// Config returns nil for the zero value.
func (t TLS) Config() (*tls.Config, error) {
	if t == (TLS{}) {
		return nil, nil
	}
	c, err := t.load()
	if err != nil {
		return nil, &filesError{err}
	}
	return c, nil
}

func (t TLS) load() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CA != "" {
		text, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("read authorities: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("read authorities: no certificate in %s", t.CA)
		}
	}
	if (t.Certificate == "") != (t.Key == "") {
		return nil, errors.New("a certificate and its key go together")
	}
	if t.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(t.Certificate, t.Key)
		if err != nil {
			return nil, fmt.Errorf("read certificate and key: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
