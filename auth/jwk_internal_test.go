package auth

import (
	"fmt"
	"strings"
	"testing"
)

const okp = `{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}` // RFC 8037 appendix A.2

func TestKeySets(t *testing.T) {
	short := strings.Repeat("A", 171) // 128 bytes
	for name, test := range map[string]struct {
		key, fault string
	}{
		"good":                {okp, ""},
		"with a use":          {strings.Replace(okp, `"kid"`, `"use":"sig","key_ops":["verify"],"alg":"EdDSA","kid"`, 1), ""},
		"for encryption":      {strings.Replace(okp, `"kid"`, `"use":"enc","kid"`, 1), "not for signatures"},
		"for other purposes":  {strings.Replace(okp, `"kid"`, `"key_ops":["encrypt"],"kid"`, 1), "not for signatures"},
		"another algorithm":   {strings.Replace(okp, `"kid"`, `"alg":"ES256","kid"`, 1), "ES256"},
		"a secret":            {`{"kty":"oct","k":"AAAA"}`, `type "oct"`},
		"a short x":           {`{"kty":"OKP","crv":"Ed25519","x":"AAAA"}`, "no Ed25519 key"},
		"another curve":       {`{"kty":"EC","crv":"P-384","x":"AAAA","y":"AAAA"}`, `"P-384"`},
		"not on the curve":    {fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":%q,"y":%[1]q}`, strings.Repeat("A", 42)+"E"), "point"},
		"a short point":       {`{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}`, "no P-256 key"},
		"a short RSA key":     {fmt.Sprintf(`{"kty":"RSA","n":%q,"e":"AQAB"}`, "g"+short[1:]), "1024 bits"},
		"an even exponent":    {fmt.Sprintf(`{"kty":"RSA","n":%q,"e":"Ag"}`, short), "exponent"},
		"a huge RSA key":      {fmt.Sprintf(`{"kty":"RSA","n":%q,"e":"AQAB"}`, strings.Repeat("A", 4*1024)), "no RSA key"},
		"no type":             {`{}`, `type ""`},
		"certificates by URL": {`{"kty":"X5","x5u":"https://example.com"}`, `type "X5"`},
	} {
		keys, skipped, err := parseKeySet([]byte(`{"keys":[` + test.key + `]}`))
		if err != nil || len(keys)+len(skipped) != 1 {
			t.Errorf("%s: %v %v %v", name, keys, skipped, err)
			continue
		}
		if test.fault == "" && len(keys) != 1 || test.fault != "" && (len(skipped) != 1 || !strings.Contains(skipped[0].Error(), test.fault)) {
			t.Errorf("%s: left out: %v, want %q", name, skipped, test.fault)
		}
	}
	for _, text := range []string{"", "[]", "{}", `{"keys":1}`, `{"keys":[` + strings.Repeat(okp+",", 100) + okp + `]}`} {
		if keys, _, err := parseKeySet([]byte(text)); err == nil {
			t.Errorf("%.20q gives %v", text, keys)
		}
	}
}

func FuzzKeySet(f *testing.F) {
	f.Add([]byte(`{"keys":[` + okp + `]}`))
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"},{"kty":"EC","crv":"P-256","x":"","y":""}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, _, err := parseKeySet(text)
		if err != nil && keys != nil {
			t.Errorf("keys and %v", err)
		}
		for _, k := range keys {
			if own, err := algorithmOf(k.key); err != nil || own != k.algorithm || own == HS256 {
				t.Errorf("%+v: algorithm %v %v", k, own, err)
			}
		}
	})
}

func FuzzHookAnswer(f *testing.F) {
	f.Add(200, []byte(`{"user":"ada","grants":{"join":["*"]},"expires":1900000000,"cache":60}`))
	f.Add(403, []byte(``))
	f.Fuzz(func(t *testing.T, status int, text []byte) {
		a, err := parseAnswer(status, text)
		if (a == nil) == (err == nil) || err == nil && (status != 200 || !validUser(a.User)) {
			t.Errorf("%d %q: %+v %v", status, text, a, err)
		}
	})
}
