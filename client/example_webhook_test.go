package client_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/seed-09a96375/belfry/client"
)

func receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, "cannot be read", http.StatusBadRequest)
		return
	}
	e, err := client.VerifyWebhook(r.Header, body, 0, os.Getenv("WEBHOOK_SECRET"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized) // sent again later
		return
	}
	// Once for each e.Data.ID: a request may come twice.
	fmt.Println(e.Type, e.Data.User, string(e.Data.Args))
	if e.Data.Reply { // the client waits
		_ = json.NewEncoder(w).Encode(map[string]int{"price": 7})
	}
}

func ExampleVerifyWebhook() {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	_ = os.Setenv("WEBHOOK_SECRET", secretOf(key))

	const body = `{"type":"order","data":{"id":"1","args":["tea",2],"user":"ada","reply":true}}`
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header = signed(key, "1", time.Now(), body)
	w := httptest.NewRecorder()
	receive(w, r)
	fmt.Print(w.Code, " ", w.Body)
	// Output:
	// order ada ["tea",2]
	// 200 {"price":7}
}
