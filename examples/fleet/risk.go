package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"time"
)

// RiskFunc says what a shock may cost: a JSON object. ctx ends after
// Options.RiskTimeout. An error leaves the alert without.
type RiskFunc func(ctx context.Context, r Reading) (json.RawMessage, error)

// estimate is the answer of EstimateRisk.
type estimate struct {
	Status string   `json:"status"`
	Issues []string `json:"issues"`
	Loss   float64  `json:"estimated_loss"`
	Alert  bool     `json:"should_alert"`
	Engine string   `json:"audit_engine"`
}

// EstimateRisk is a RiskFunc that asks nobody: what is above 8 °C and every G count.
func EstimateRisk(_ context.Context, r Reading) (json.RawMessage, error) {
	a, wrong := judge(r)
	e := estimate{Status: "OK", Issues: []string{}, Alert: wrong, Engine: "built in"}
	if wrong {
		e.Status, e.Issues = a.Type, append(e.Issues, a.Message)
	}
	e.Loss = math.Round(max(0, r.Temperature-maxTemperature)*150 + r.Vibration*100)
	return json.Marshal(e)
}

// riskQuestion is the body of the request.
type riskQuestion struct {
	Truck       string    `json:"truckId"`
	Vibration   float64   `json:"vibration"`
	Temperature float64   `json:"temperature"`
	Time        time.Time `json:"timestamp"`
}

// maxRisk bounds an answer, bytes.
const maxRisk = 16 << 10

// RiskByHTTP is a RiskFunc that POSTs {truckId, vibration, temperature, timestamp} to
// a URL. A nil client is http.DefaultClient.
func RiskByHTTP(client *http.Client, url string) RiskFunc {
	if client == nil {
		client = http.DefaultClient
	}
	return func(ctx context.Context, r Reading) (json.RawMessage, error) {
		body, err := json.Marshal(riskQuestion{r.Truck, r.Vibration, r.Temperature, r.Time})
		if err != nil {
			return nil, fmt.Errorf("encode the question: %w", err)
		}
		q, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return nil, fmt.Errorf("ask the risk service: %w", err)
		}
		q.Header.Set("Content-Type", "application/json")
		answer, err := client.Do(q)
		if err != nil {
			return nil, fmt.Errorf("ask the risk service: %w", err)
		}
		defer answer.Body.Close()
		return readRisk(answer)
	}
}

func readRisk(answer *http.Response) (json.RawMessage, error) {
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the risk service answers %s", answer.Status)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxRisk+1))
	if err != nil {
		return nil, fmt.Errorf("read the risk: %w", err)
	}
	var object map[string]json.RawMessage
	if len(text) > maxRisk || json.Unmarshal(text, &object) != nil || object == nil {
		return nil, errors.New("the risk service's answer is no JSON object, or too large")
	}
	return text, nil
}
