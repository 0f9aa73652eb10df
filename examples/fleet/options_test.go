package fleet_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/examples/fleet"
)

func TestValidate(t *testing.T) {
	err := fleet.Options{Secret: "short", Debounce: -1, Users: []fleet.User{{Name: "x", Role: "ADMIN"}}}.Validate()
	for _, want := range []string{"State is missing", "Store is missing", "Queue is missing", "Secret has 5 bytes", "Debounce is -1ns", `"ADMIN"`, "without a hash"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q in it", err, want)
		}
	}
	for o, valid := range map[fleet.SimulatorOptions]bool{
		{}: true, {Trucks: -1}: false, {Trucks: fleet.MaxTrucks + 1}: false, {Interval: time.Millisecond}: false,
	} {
		if _, err := fleet.NewSimulator(o); (err == nil) != valid {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// TestSimulator has every truck report, with readings that are good.
func TestSimulator(t *testing.T) {
	const trucks = 43
	sim, err := fleet.NewSimulator(fleet.SimulatorOptions{Trucks: trucks, Interval: 50 * time.Millisecond, Incidents: 1e6})
	must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	seen := make(map[string]fleet.Reading)
	wrong := 0
	sim.Run(ctx, func(_ context.Context, readings []fleet.Reading) error {
		for _, r := range readings {
			if err := r.Validate(); err != nil {
				t.Error(err)
			}
			if last, again := seen[r.Truck]; again && !r.Time.After(last.Time) {
				t.Errorf("%+v comes after %+v", r, last)
			}
			if r.Vibration > 4 || r.Temperature > 8 {
				wrong++
			}
			seen[r.Truck] = r
		}
		if len(seen) == trucks && wrong > 10 {
			stop()
		}
		return nil
	}, slog.New(slog.DiscardHandler))
}

func TestRiskByHTTP(t *testing.T) {
	answer := map[string]string{
		"good": `{"estimated_loss":7}`, "none": "", "list": "[1]", "null": "null", "large": `{"a":"` + strings.Repeat("x", 20_000) + `"}`,
	}
	var asked []byte
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, _ = io.ReadAll(r.Body)
		name := strings.TrimPrefix(r.URL.Path, "/")
		if answer[name] == "" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = io.WriteString(w, answer[name])
	}))
	defer service.Close()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for name := range answer {
		risk, err := fleet.RiskByHTTP(client, service.URL+"/"+name)(t.Context(), shock("NORTH-0001", 0))
		if (err == nil) != (name == "good") || err == nil && string(risk) != answer[name] {
			t.Errorf("%s: the risk is %.50s %v", name, risk, err)
		}
	}
	var question map[string]any
	must(t, json.Unmarshal(asked, &question))
	if len(question) != 4 || question["truckId"] != "NORTH-0001" || question["vibration"] != 6.0 || question["temperature"] != 5.0 {
		t.Errorf("the question is %s", asked)
	}
}
