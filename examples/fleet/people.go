package fleet

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seed-09a96375/belfry"
)

// Role is what somebody is there for.
type Role string

const (
	Manager    Role = "MANAGER"    // sees all fleets and orders, and may try an alarm
	Pharmacist Role = "PHARMACIST" // sees the fleets and the orders that are theirs
)

// User is somebody who may log in. Users are made by whoever runs the server: there
// is no way to make oneself one.
type User struct {
	Name string
	Hash string // of the password: HashPassword
	Role Role
	// Fleets are those that a Pharmacist sees.
	Fleets []string
}

// rounds of PBKDF2 for new hashes: OWASP's advice for SHA-256, 2023.
const rounds = 600_000

// HashPassword returns a hash of a password with a salt of its own: PBKDF2 (RFC
// 8018) with SHA-256. It takes a good part of a second.
func HashPassword(password string) (string, error) { return hashWith(password, rounds) }

func hashWith(password string, rounds int) (string, error) {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	key, err := pbkdf2.Key(sha256.New, password, salt, rounds, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	return hashText(rounds, salt, key), nil
}

func hashText(rounds int, salt, key []byte) string {
	text := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("pbkdf2-sha256$%d$%s$%s", rounds, text(salt), text(key))
}

// matches reports whether the hash is that of the password.
func matches(hash, password string) bool {
	parts := strings.Split(hash, "$")
	if len(parts) != 4 || parts[0] != "pbkdf2-sha256" {
		return false
	}
	n, err := strconv.Atoi(parts[1])
	salt, err2 := base64.RawStdEncoding.DecodeString(parts[2])
	want, err3 := base64.RawStdEncoding.DecodeString(parts[3])
	if errors.Join(err, err2, err3) != nil || n < 1 || len(want) != sha256.Size {
		return false
	}
	got, err := pbkdf2.Key(sha256.New, password, salt, n, sha256.Size)
	return err == nil && subtle.ConstantTimeCompare(got, want) == 1
}

// visitor is who a token says that somebody is. It is the data of a socket.
type visitor struct {
	Name    string   `json:"name"`
	Role    Role     `json:"role"`
	Fleets  []string `json:"fleets"`
	Expires int64    `json:"expires"` // s since 1970
}

// sees reports whether the visitor may know of a fleet.
func (v visitor) sees(fleet string) bool {
	return v.Role == Manager || v.Role == Pharmacist && slices.Contains(v.Fleets, fleet)
}

// alertRooms are the rooms in which the visitor hears of alerts.
func (v visitor) alertRooms() (rooms []belfry.Room) {
	switch v.Role {
	case Manager:
		return []belfry.Room{allAlerts}
	case Pharmacist:
		for _, f := range v.Fleets {
			rooms = append(rooms, alertRoom(f))
		}
	}
	return rooms
}

// orderRooms are the rooms in which the visitor hears of orders.
func (v visitor) orderRooms() []belfry.Room {
	switch v.Role {
	case Manager:
		return []belfry.Room{allOrders}
	case Pharmacist:
		return []belfry.Room{orderRoom(v.Name)}
	}
	return nil
}

// claims are those of a token.
type claims struct {
	jwt.RegisteredClaims
	Role   Role     `json:"role"`
	Fleets []string `json:"fleets"`
}

const issuer = "fleet"

// people knows who may log in, and whose tokens are right.
type people struct {
	users  []User
	secret []byte
	life   time.Duration
	// turn bounds the passwords that are hashed at a time: each keeps a processor busy.
	turn chan struct{}
	// nobody is compared with when there is no such user, so that it takes as long.
	nobody string
}

func newPeople(o Options) *people {
	salt, key := make([]byte, 16), make([]byte, sha256.Size)
	_, _ = rand.Read(salt) // never fails
	_, _ = rand.Read(key)
	return &people{o.Users, []byte(o.Secret), o.TokenLife, make(chan struct{}, 1), hashText(rounds, salt, key)}
}

// login returns the user of that name and password. busy: too many try at once.
func (p *people) login(name, password string) (u User, ok, busy bool) {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	default:
		return User{}, false, true
	}
	i := slices.IndexFunc(p.users, func(u User) bool { return u.Name == name })
	if i < 0 {
		matches(p.nobody, password)
		return User{}, false, false
	}
	return p.users[i], matches(p.users[i].Hash, password), false
}

// token signs what is true of a user.
func (p *people) token(u User, now time.Time) (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Subject: u.Name, IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(p.life)),
		},
		Role: u.Role, Fleets: u.Fleets,
	}).SignedString(p.secret)
}

// visitor reads a token. The error is a refusal.
func (p *people) visitor(token string) (visitor, error) {
	if token == "" {
		return visitor{}, refusal("log in first")
	}
	var c claims
	_, err := jwt.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return p.secret, nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired(), jwt.WithIssuer(issuer))
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return visitor{}, refusal("your session has ended: log in again")
	case err != nil:
		return visitor{}, refusal("the token is not one of this server: log in again")
	}
	return visitor{c.Subject, c.Role, c.Fleets, c.ExpiresAt.Unix()}, nil
}
