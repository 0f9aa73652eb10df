package fleet

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// What is wrong with a truck.
const (
	Warning  = "WARNING"  // the goods are too cold or too warm
	Critical = "CRITICAL" // they had a shock
)

// Bounds of what is right.
const (
	minTemperature = 2.0 // °C
	maxTemperature = 8.0 // °C
	maxVibration   = 4.0 // G
)

// Alert is the payload of notification.
type Alert struct {
	ID       string    `json:"id"` // a client that gets one twice knows it by that
	Truck    string    `json:"truckId"`
	Time     time.Time `json:"time"`
	Type     string    `json:"type"` // Warning, Critical
	Message  string    `json:"message"`
	Location Location  `json:"location"`
	// Risk is what the risk service says of a Critical one. nil: it was not asked, or
	// did not answer.
	Risk json.RawMessage `json:"riskData"`
}

// judge returns the alert that a reading is, if it is one. Of two things that are
// wrong the worse names the type. Its id follows from the reading, so that one which
// comes again, in whatever record, is the same alert.
func judge(r Reading) (a Alert, wrong bool) {
	var issues []string
	kind := ""
	if r.Temperature < minTemperature || r.Temperature > maxTemperature {
		kind = Warning
		issues = append(issues, fmt.Sprintf("Temperature deviation: %.1f°C", r.Temperature))
	}
	if r.Vibration > maxVibration {
		kind = Critical
		issues = append(issues, fmt.Sprintf("High Shock Detected: %.1fG", r.Vibration))
	}
	if kind == "" {
		return Alert{}, false
	}
	return Alert{
		ID:   fmt.Sprintf("%s:%s:%d", r.Truck, kind, r.Time.UnixMilli()),
		Time: r.Time, Truck: r.Truck, Type: kind, Message: strings.Join(issues, ", "),
		Location: Location{r.Latitude, r.Longitude},
	}, true
}
