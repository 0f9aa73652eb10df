package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
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
	return func(ctx context.Context, r Reading) (json.RawMessage, error) {
		answer, err := post(ctx, client, url, riskQuestion{r.Truck, r.Vibration, r.Temperature, r.Time}, nil)
		if err != nil {
			return nil, fmt.Errorf("ask the risk service: %w", err)
		}
		defer answer.Body.Close()
		return readRisk(answer)
	}
}

// post sends a JSON object. A nil client is http.DefaultClient.
func post(ctx context.Context, client *http.Client, url string, body any, header http.Header) (*http.Response, error) {
	if client == nil {
		client = http.DefaultClient
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	maps.Copy(q.Header, header)
	q.Header.Set("Content-Type", "application/json")
	return client.Do(q)
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
