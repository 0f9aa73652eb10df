package config

import "github.com/seed-09a96375/belfry/auth"

const authOption = "auth.Options."

func (t *Tree) auth() []node {
	o, p := &t.parts.auth, &t.parts
	return []node{
		&setting{
			name: "secret", value: text(&p.secret), secret: true, example: "file:/run/secrets/tokens",
			usage: "secret of 32 bytes or more that tokens are signed with (HS256); for other keys see keys and jwks",
		},
		&list{"keys", "Keys that tokens are signed with. A key is for one algorithm; while keys change there are two", authOption + "Keys", func() []node {
			o.Keys = append(o.Keys, auth.Key{})
			return keySettings(&o.Keys[len(o.Keys)-1])
		}},
		&section{name: "jwks", usage: "Keys that are fetched, from the service that signs the tokens", nodes: jwks(&p.jwks)},
		&setting{
			name: "issuer", value: text(&o.Issuer), example: "https://accounts.example.com", option: authOption + "Issuer",
			usage: `who has to have issued tokens ("iss"; default: anyone with the key)`,
		},
		&setting{
			name: "audience", value: &texts{&o.Audience}, example: "chat", option: authOption + "Audience",
			usage: `one of these tokens have to be for ("aud"; default: anything)`,
		},
		&setting{
			name: "leeway", value: duration(&o.Leeway), standard: "30s", option: authOption + "Leeway",
			usage: "how far clocks may be apart",
		},
		&setting{
			name: "claim", value: text(&o.GrantsClaim), standard: "belfry", option: authOption + "GrantsClaim",
			usage: "claim of tokens that holds grants",
		},
		&section{name: "grants", usage: "What those may do whose tokens have no grants of their own. Rooms are patterns: * is any text, {sub} the user", nodes: grants(&o.Grants, false), option: authOption + "Grants"},
		&section{name: "hook", usage: "Your own service that is asked who a client is, in place of verifying tokens here", nodes: hook(&p.hook), option: authOption + "Hook"},
		&list{"api_keys", "Keys of backends for the HTTP API", authOption + "APIKeys", func() []node {
			o.APIKeys = append(o.APIKeys, auth.APIKey{})
			return apiKey(&o.APIKeys[len(o.APIKeys)-1])
		}},
	}
}

func keySettings(k *auth.Key) []node {
	return nested(
		&setting{name: "id", value: text(&k.ID), example: "2026-01", option: "ID", usage: `"kid" of the tokens that the key is for (default: any)`},
		&setting{
			name: "algorithm", value: text(&k.Algorithm), example: "ES256", option: "Algorithm",
			usage: "HS256, RS256, ES256 or EdDSA (default: what fits the key)",
		},
		&setting{name: "secret", value: text(&k.Secret), secret: true, option: "Secret", usage: "secret for HS256, 32 bytes or more"},
		&setting{
			name: "public_key", value: text(&k.PEM), secret: true, example: "file:/etc/belfry/tokens.pem", option: "PEM",
			usage: "PEM of a public key or a certificate",
		},
	)
}

func jwks(j *auth.JWKS) []node {
	return []node{
		&setting{
			name: "url", value: text(&j.URL), example: "https://accounts.example.com/keys", option: authOption + "JWKS.URL",
			usage: "where the key set is (RFC 7517)",
		},
		&setting{
			name: "ca", value: text(&j.CA), file: true, example: "/etc/belfry/ca.pem", option: authOption + "JWKS.CA",
			usage: "file with the authorities to trust (default: those of the system)",
		},
		&setting{name: "interval", value: duration(&j.Interval), standard: "15m", option: authOption + "JWKS.Interval", usage: "between fetches"},
		&setting{
			name: "pause", value: duration(&j.Pause), standard: "30s", option: authOption + "JWKS.Pause",
			usage: "least time between fetches that unknown keys cause, and after one that failed",
		},
		&setting{
			name: "max_age", value: duration(&j.MaxAge), standard: "24h", option: authOption + "JWKS.MaxAge",
			usage: "how long keys are used that cannot be fetched again",
		},
		&setting{name: "timeout", value: duration(&j.Timeout), standard: "10s", option: authOption + "JWKS.Timeout", usage: "of a fetch"},
	}
}

func grants(r *auth.Rules, api bool) []node {
	nodes := []node{
		&setting{name: "join", value: &texts{&r.Join}, example: "chat:*,inbox:{sub}", usage: "rooms to join"},
		&setting{name: "publish", value: &texts{&r.Publish}, example: "chat:*", usage: "rooms to send to"},
		&setting{name: "presence", value: &texts{&r.Presence}, example: "chat:*", usage: "rooms whose members to see"},
		&setting{name: "history", value: &texts{&r.History}, example: "chat:*", usage: "rooms whose past to read"},
	}
	if api {
		nodes = append(nodes, &setting{name: "api", value: boolean(&r.API), example: "true", usage: "what only backends may do"},
			&setting{name: "metrics", value: boolean(&r.Metrics), example: "true", usage: "read /metrics; who has api may, too"})
	}
	return nodes
}

func hook(h *auth.Hook) []node {
	return []node{
		&setting{
			name: "url", value: text(&h.URL), example: "https://internal.example.com/belfry", option: authOption + "Hook.URL", secret: true,
			usage: "gets a POST with the client's token",
		},
		&setting{
			name: "ca", value: text(&h.CA), file: true, example: "/etc/belfry/ca.pem", option: authOption + "Hook.CA",
			usage: "file with the authorities to trust (default: those of the system)",
		},
		&setting{
			name: "headers", value: &pairs{&h.Headers}, secret: true, example: "Authorization: file:/run/secrets/hook", option: authOption + "Hook.Headers",
			usage: "headers of the request",
		},
		&setting{
			name: "forward", value: &texts{&h.Forward}, example: "Cookie", option: authOption + "Hook.Forward",
			usage: "headers of the client that are passed on",
		},
		&setting{name: "timeout", value: duration(&h.Timeout), standard: "5s", option: authOption + "Hook.Timeout", usage: "of a request"},
		&setting{
			name: "cache", value: duration(&h.Cache), standard: "1m", option: authOption + "Hook.Cache",
			usage: "how long an answer is used again at the most, if it allows so; -1s: not at all",
		},
		&setting{
			name: "concurrent", value: number(&h.MaxConcurrent), standard: "64", option: authOption + "Hook.MaxConcurrent",
			usage: "requests under way at once",
		},
	}
}

func apiKey(k *auth.APIKey) []node {
	nodes := nested(
		&setting{name: "name", value: text(&k.Name), example: "orders", option: "Name", usage: "name of the backend, for the log"},
		&setting{name: "key", value: text(&k.Key), secret: true, example: "file:/run/secrets/orders", option: "Key", usage: "key, random, 32 characters or more"},
		&setting{name: "hash", value: text(&k.Hash), option: "Hash", usage: "in place of the key: sha256: and its SHA-256 in hexadecimal"},
	)
	g := nested(grants(&k.Grants, true)...)
	return append(nodes, &section{name: "grants", usage: "What the backend may do (default: all)", nodes: g, option: "Grants"})
}

// nested marks the settings of a list.
func nested(nodes ...node) []node {
	for _, n := range nodes {
		if s, ok := n.(*setting); ok {
			s.nested = true
		}
	}
	return nodes
}
