package engineio

import (
	"strings"
	"testing"
	"time"
)

func TestInvalidOptions(t *testing.T) {
	o := Options{
		PingInterval: -1, PingTimeout: 8 * 24 * time.Hour, UpgradeTimeout: -1, ReadTimeout: -1, WriteTimeout: -1,
		MaxPayload: -1, MaxQueue: -1, Transports: []Transport{7}, Origins: []string{"example.com"},
		CORS: &CORS{Origin: "*", Origins: []string{"*", "https://x/path"}, Credentials: true},
	}
	_, err := New(o, nil)
	if err == nil {
		t.Fatal("no error")
	}
	for _, field := range []string{
		"PingInterval is -1ns", "PingTimeout is 192h0m0s", "UpgradeTimeout", "ReadTimeout", "WriteTimeout",
		"MaxPayload is -1", "MaxQueue", "Transports is unknown", `Origins is "example.com"`, "CORS.Credentials", "CORS.Origins",
	} {
		if !strings.Contains(err.Error(), "Options."+field) {
			t.Errorf("%s is not named in: %v", field, err)
		}
	}
	if err := (Options{}).Validate(); err != nil {
		t.Errorf("the zero value: %v", err)
	}
	if err := (Options{Transports: []Transport{}}).Validate(); err == nil {
		t.Error("no transport at all is valid")
	}
}
