package fleet_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/examples/fleet"
)

func TestDecodeReading(t *testing.T) {
	at := time.Date(2026, 1, 14, 9, 30, 0, 250e6, time.UTC)
	want := fleet.Reading{Truck: "TRUCK-302", Latitude: 46.77, Longitude: 23.6, Temperature: 5, Vibration: 15, Time: at}
	for _, text := range []string{
		`{"truckId":"TRUCK-302","latitude":46.77,"longitude":23.6,"temperature":5,"vibration":15,"timestamp":"2026-01-14T09:30:00.25Z"}`,
		`{"truckId":"TRUCK-302","location":{"lat":46.77,"lng":23.6},"temperature":5,"vibration":15,"timestamp":"2026-01-14T10:30:00.2500009+01:00"}`,
		`{"truckId":"TRUCK-302","latitude":46.77,"longitude":23.6,"temperature":5,"vibration":15,"timestamp":1768383000250,"more":1}`,
	} {
		if got, err := fleet.DecodeReading([]byte(text)); err != nil || got != want {
			t.Errorf("%s\nis %+v %v", text, got, err)
		}
	}
}

func TestDecodeReadingRefuses(t *testing.T) {
	good := map[string]any{"truckId": "A-1", "latitude": 1, "longitude": 2, "temperature": 5, "vibration": 1, "timestamp": 1700000000000}
	for want, change := range map[string]func(map[string]any){
		"truckId is":    func(m map[string]any) { m["truckId"] = "a room:*" },
		"no such place": func(m map[string]any) { m["latitude"] = 91 },
		"no longitude":  func(m map[string]any) { delete(m, "longitude") },
		"no vibration":  func(m map[string]any) { m["vibration"] = nil },
		"sensors":       func(m map[string]any) { m["vibration"] = -1 },
		"is missing":    func(m map[string]any) { m["timestamp"] = "yesterday" },
		"ahead":         func(m map[string]any) { m["timestamp"] = time.Now().Add(time.Hour).UnixMilli() },
		"no JSON":       func(m map[string]any) { m["temperature"] = "warm" },
	} {
		m := make(map[string]any)
		for k, v := range good {
			m[k] = v
		}
		change(m)
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fleet.DecodeReading(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want %q in it", text, err, want)
		}
	}
}

func FuzzDecodeReading(f *testing.F) {
	for _, seed := range []string{
		`{"truckId":"A-1","latitude":1,"longitude":2,"temperature":5,"vibration":1,"timestamp":1700000000000}`,
		`{"truckId":"A","location":{"lat":1,"lng":2},"temperature":5e0,"vibration":0.1,"timestamp":"2026-01-14T09:30:00Z"}`,
		`{}`, `[]`, `null`, `{"timestamp":-1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := fleet.DecodeReading(text)
		if err != nil {
			return
		}
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatalf("%+v cannot be encoded: %v", r, err)
		}
		if got, err := fleet.DecodeReading(again); err != nil || got != r {
			t.Errorf("%s is %+v %v after %+v", again, got, err, r)
		}
	})
}
