package cli

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/internal/config"
)

func tokenCommand() *cobra.Command {
	var (
		s      signer
		user   string
		rules  auth.Rules
		lasts  time.Duration
		starts time.Time
	)
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Sign a token for a client or a backend",
		Long: `Sign a token (JWT, HS256) with the secret that nodes verify tokens with: that of
--secret-file, or of the section auth of the configuration. Grants are rooms as
patterns: * is any text, {sub} the user. Without any the token has what auth.grants
of the configuration says.

It is for trying out, and for scripts. Tokens of an issuer with keys of its own are
signed there.`,
		Example: `  belfry token --config belfry.yaml --user ada --join 'chat:*' --publish 'chat:*'
  belfry token --secret-file /run/secrets/tokens --user billing --api --publish '*' --expires 24h`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if lasts <= 0 {
				return usageError(cmd, fmt.Errorf("--expires is %v: must be more than 0", lasts))
			}
			if err := rules.Validate(); err != nil {
				return usageError(cmd, err)
			}
			starts = time.Now()
			text, err := s.sign(cmd, user, rules, starts, starts.Add(lasts))
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), text)
			return err
		},
	}
	f := cmd.Flags()
	s.flags(f)
	f.StringVar(&user, "user", "", "`name` of the user or backend (\"sub\")")
	f.StringArrayVar(&rules.Join, "join", nil, "`pattern` of rooms to join; repeat it for more")
	f.StringArrayVar(&rules.Publish, "publish", nil, "`pattern` of rooms to send to")
	f.StringArrayVar(&rules.Presence, "presence", nil, "`pattern` of rooms whose members to see")
	f.StringArrayVar(&rules.History, "history", nil, "`pattern` of rooms whose past to read")
	f.BoolVar(&rules.API, "api", false, "allow the HTTP API")
	f.DurationVar(&lasts, "expires", time.Hour, "`time` that the token holds")
	return cmd
}

// signer signs tokens that nodes accept.
type signer struct{ file, config string }

func (s *signer) flags(f *pflag.FlagSet) {
	f.StringVar(&s.file, "secret-file", "", "`file` with the secret that tokens are signed with")
	configFlag(f, &s.config)
}

// given reports whether there is something to sign with.
func (s *signer) given() bool {
	return s.file != "" || s.config != "" || os.Getenv("BELFRY_CONFIG") != ""
}

func (s *signer) sign(cmd *cobra.Command, user string, rules auth.Rules, from, to time.Time) (string, error) {
	o, key, err := s.secret(cmd)
	if err != nil {
		return "", err
	}
	claims := jwt.MapClaims{"iat": from.Unix(), "exp": to.Unix()}
	if user != "" {
		claims["sub"] = user
	}
	if o.Issuer != "" {
		claims["iss"] = o.Issuer
	}
	if len(o.Audience) > 0 {
		claims["aud"] = o.Audience[0]
	}
	if granted(rules) {
		claims[firstText(o.GrantsClaim, "belfry")] = rules
	}
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, claims)
	if key.ID != "" {
		t.Header["kid"] = key.ID
	}
	return t.SignedString([]byte(key.Secret))
}

func granted(r auth.Rules) bool {
	return r.API || len(r.Join)+len(r.Publish)+len(r.Presence)+len(r.History) > 0
}

// secret returns the key to sign with, and how tokens have to be.
func (s *signer) secret(cmd *cobra.Command) (auth.Options, auth.Key, error) {
	if s.file != "" {
		secret, err := readSecret(secretFile + s.file)
		key := auth.Key{Algorithm: auth.HS256, Secret: secret}
		if err == nil {
			err = (auth.Options{Keys: []auth.Key{key}}).Validate()
		}
		if err != nil {
			return auth.Options{}, key, &Error{Err: err, Hint: "the secret is 32 bytes or more, the same as auth.secret of the nodes", Code: exitUsage}
		}
		return auth.Options{}, key, nil
	}
	if !s.given() {
		return auth.Options{}, auth.Key{}, usageError(cmd, errors.New("which secret? give --config FILE or --secret-file FILE"))
	}
	c, err := load(cmd, config.New(), s.config)
	if err != nil {
		return auth.Options{}, auth.Key{}, err
	}
	if o := c.Serve.Auth; o != nil {
		for _, key := range o.Keys {
			if key.Secret != "" {
				return *o, key, nil
			}
		}
	}
	return auth.Options{}, auth.Key{}, &Error{
		Err:  errors.New("the configuration has no secret to sign tokens with"),
		Hint: "auth.secret is one; where tokens are signed by a service with keys of its own, get a token there", Code: exitUsage,
	}
}
