package cli_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/rogpeppe/go-internal/testscript"
)

// keyserver starts an HTTPS server with a key set and a certificate of its own, for
// as long as the script runs. It writes its authority to ca.pem, a token to token,
// and a token that another key has signed to forged; KEYS is its URL.
func keyserver(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: keyserver")
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	ts.Check(err)
	_, other, err := ed25519.GenerateKey(rand.Reader)
	ts.Check(err)
	set := fmt.Sprintf(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":%q}]}`, base64.RawURLEncoding.EncodeToString(public))
	pair, ca := certificate(ts)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, set) }))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	server.StartTLS()
	ts.Defer(server.Close)
	ts.Setenv("KEYS", server.URL)
	write(ts, "ca.pem", ca)
	write(ts, "token", sign(ts, private))
	write(ts, "forged", sign(ts, other))
}

func certificate(ts *testscript.TestScript) (pair tls.Certificate, text string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	ts.Check(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func sign(ts *testscript.TestScript, key ed25519.PrivateKey) string {
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{
		"sub": "ada", "aud": "chat", "exp": time.Now().Add(time.Hour).Unix(), "belfry": map[string]any{"join": []string{"chat:*"}},
	})
	token.Header["kid"] = "1"
	text, err := token.SignedString(key)
	ts.Check(err)
	return text
}

func write(ts *testscript.TestScript, name, text string) {
	ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
}

var sid = regexp.MustCompile(`"sid":"([^"]*)"`)

// greet connects a Socket.IO client with the token of a file, by polling, emits the
// events that follow, and prints what the server says to each.
func greet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: greet URL TOKENFILE [packet]...")
	}
	url := args[0] + "?EIO=4&transport=polling"
	m := sid.FindStringSubmatch(do(ts, http.MethodGet, url, ""))
	if m == nil {
		ts.Fatalf("no session")
	}
	url += "&sid=" + m[1]
	packets := append([]string{`40{"token":"` + strings.TrimSpace(ts.ReadFile(args[1])) + `"}`}, args[2:]...)
	for _, p := range packets {
		do(ts, http.MethodPost, url, p)
		_, _ = io.WriteString(ts.Stdout(), do(ts, http.MethodGet, url, "")+"\n")
	}
}

func do(ts *testscript.TestScript, method, url, body string) string {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	ts.Check(err)
	answer, err := (&http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	ts.Check(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	ts.Check(err)
	return string(text)
}
