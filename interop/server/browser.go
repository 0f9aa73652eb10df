package main

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/seed-09a96375/belfry/engineio"
)

// cors reads the cors option, whose origin is a string or a list.
type cors engineio.CORS

func (c *cors) UnmarshalJSON(b []byte) error {
	var o struct {
		Origin         json.RawMessage `json:"origin"`
		Methods        []string        `json:"methods"`
		AllowedHeaders []string        `json:"allowedHeaders"`
		Credentials    bool            `json:"credentials"`
	}
	if err := json.Unmarshal(b, &o); err != nil {
		return err
	}
	*c = cors{Methods: o.Methods, AllowedHeaders: o.AllowedHeaders, Credentials: o.Credentials}
	if json.Unmarshal(o.Origin, &c.Origin) == nil {
		return nil
	}
	return json.Unmarshal(o.Origin, &c.Origins)
}

// cookie reads the cookie option, which is true or an object.
type cookie engineio.Cookie

func (c *cookie) UnmarshalJSON(b []byte) error {
	if string(b) == "true" {
		return nil
	}
	var o struct {
		Name     string `json:"name"`
		HTTPOnly bool   `json:"httpOnly"`
		SameSite string `json:"sameSite"`
		MaxAge   int    `json:"maxAge"`
	}
	if err := json.Unmarshal(b, &o); err != nil {
		return err
	}
	*c = cookie{Name: o.Name, Script: !o.HTTPOnly, MaxAge: time.Duration(o.MaxAge) * time.Second}
	if o.SameSite == "strict" {
		c.SameSite = http.SameSiteStrictMode
	}
	return nil
}
