package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Reading is what a truck says of itself at one moment. It is the value of a record
// of the topic, and the payload of truck_update.
type Reading struct {
	Truck       string    `json:"truckId"`
	Latitude    float64   `json:"latitude"`
	Longitude   float64   `json:"longitude"`
	Temperature float64   `json:"temperature"` // of the goods, °C
	Vibration   float64   `json:"vibration"`   // G
	Time        time.Time `json:"timestamp"`   // milliseconds
}

// truckID is a name that can be a part of a room's.
var truckID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// fleetOf is the fleet that a truck belongs to: what is before the last dash of its
// id, the whole id if there is none.
func fleetOf(truck string) string {
	if i := strings.LastIndexByte(truck, '-'); i > 0 {
		return truck[:i]
	}
	return truck
}

// maxAhead is how far a truck's clock may be ahead. One that is further would keep
// what is true off the map.
const maxAhead = time.Minute

// wire is a Reading as producers write it: the position may be in location.
type wire struct {
	Truck       string          `json:"truckId"`
	Latitude    *float64        `json:"latitude"`
	Longitude   *float64        `json:"longitude"`
	Location    *Location       `json:"location"`
	Temperature *float64        `json:"temperature"`
	Vibration   *float64        `json:"vibration"`
	Time        json.RawMessage `json:"timestamp"`
}

// DecodeReading reads a record's value. The error says what is wrong with it; such a
// record can never be used.
func DecodeReading(value []byte) (Reading, error) {
	var w wire
	if err := json.Unmarshal(value, &w); err != nil {
		return Reading{}, fmt.Errorf("the reading is no JSON object of its kind: %w", err)
	}
	at, err := readTime(w.Time)
	if err != nil {
		return Reading{}, err
	}
	if w.Latitude == nil && w.Longitude == nil && w.Location != nil {
		w.Latitude, w.Longitude = &w.Location.Lat, &w.Location.Lng
	}
	for name, v := range map[string]*float64{
		"latitude": w.Latitude, "longitude": w.Longitude, "temperature": w.Temperature, "vibration": w.Vibration,
	} {
		if v == nil {
			return Reading{}, fmt.Errorf("the reading has no %s", name)
		}
	}
	r := Reading{w.Truck, *w.Latitude, *w.Longitude, *w.Temperature, *w.Vibration, at}
	return r, r.Validate()
}

// readTime takes text as RFC 3339 has it, or a number of ms since 1970.
func readTime(raw json.RawMessage) (time.Time, error) {
	var ms int64
	if json.Unmarshal(raw, &ms) == nil && ms > 0 {
		return time.UnixMilli(ms).UTC(), nil
	}
	var at time.Time
	if json.Unmarshal(raw, &at) != nil || at.UnixMilli() <= 0 {
		return time.Time{}, errors.New("the timestamp is missing, or neither RFC 3339 nor ms since 1970")
	}
	return at.UTC().Truncate(time.Millisecond), nil
}

// Validate says why r cannot be that of a truck.
func (r Reading) Validate() error {
	switch {
	case !truckID.MatchString(r.Truck):
		return fmt.Errorf("truckId is %.80q: must be 1 to 64 letters, digits, dashes and underscores, a letter or digit first", r.Truck)
	case r.Latitude < -90 || r.Latitude > 90 || r.Longitude < -180 || r.Longitude > 180:
		return fmt.Errorf("%s is at %v, %v: no such place", r.Truck, r.Latitude, r.Longitude)
	case r.Temperature < -273.15 || r.Temperature > 1000 || r.Vibration < 0 || r.Vibration > 10_000:
		return fmt.Errorf("%s measures %v °C and %v G: its sensors are broken", r.Truck, r.Temperature, r.Vibration)
	}
	return checkClock(r.Truck, r.Time)
}

// earliest is before any truck has reported: what is older has a wrong clock.
var earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func checkClock(whose string, at time.Time) error {
	switch {
	case time.Until(at) > maxAhead:
		return fmt.Errorf("the clock of %s is more than %v ahead: %v", whose, maxAhead, at)
	case at.Before(earliest):
		return fmt.Errorf("the clock of %s is wrong: %v", whose, at)
	}
	return nil
}

// Location is a place on the map.
type Location struct {
	Lat float64 `json:"lat"`
	Lng float64 `json:"lng"`
}

// Bounds are a part of the map.
type Bounds struct {
	South float64 `json:"south"`
	West  float64 `json:"west"`
	North float64 `json:"north"`
	East  float64 `json:"east"`
}

func (b Bounds) has(r Reading) bool {
	return r.Latitude >= b.South && r.Latitude <= b.North && r.Longitude >= b.West && r.Longitude <= b.East
}
