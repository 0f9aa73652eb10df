package fleet_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/examples/fleet"
	"github.com/seed-09a96375/belfry/socketio/socketiotest"
)

// Each test here is named after what must hold where the system that this one replaces
// had a weakness; its number there stands beside it. Those that need Kafka are in
// kafka_test.go.

// TestOneAlertInAMinute is weaknesses 1 and 3: each replica had a debounce of its own,
// and that knew the last type only.
func TestOneAlertInAMinute(t *testing.T) { everywhere(t, oneAlertInAMinute) }

func oneAlertInAMinute(t *testing.T, with shared) {
	nodes := cluster(t, 2, with)
	manager := nodes[0].open("manager")
	truck := "NORTH-0001"
	for s := range 70 { // it flaps, on both nodes
		nodes[s%2].take(warm(truck, 2*s), shock(truck, 2*s+1), reading(truck, 2*s+1))
	}
	want := []string{
		id(warm(truck, 0)), id(shock(truck, 1)), id(warm(truck, 60)), id(shock(truck, 61)), id(warm(truck, 120)), id(shock(truck, 121)),
	}
	for range want {
		manager.waitAlert()
	}
	if got := manager.heard(); !slices.Equal(got, want) {
		t.Errorf("alerts are %v\nwant %v", got, want)
	}
	slices.Reverse(want)
	if got := manager.alerts(); !slices.Equal(got, want) {
		t.Errorf("kept are %v\nwant %v", got, want)
	}
}

// TestSameReadingTwice is weakness 2: what came again was told, and asked about, again.
func TestSameReadingTwice(t *testing.T) {
	var asked atomic.Int32
	nodes := cluster(t, 2, shared{risk: func(ctx context.Context, r fleet.Reading) (json.RawMessage, error) {
		asked.Add(1)
		return fleet.EstimateRisk(ctx, r)
	}})
	manager := nodes[1].open("manager")
	manager.watch(map[string]any{"trucks": []string{"NORTH-0001"}})
	for range 3 {
		nodes[0].take(shock("NORTH-0001", 0))
		nodes[1].take(shock("NORTH-0001", 0))
	}
	nodes[0].take(shock("NORTH-0002", 1))
	told := []string{manager.waitAlert().ID, manager.waitAlert().ID} // of two trucks: in any order
	slices.Sort(told)
	if !slices.Equal(told, []string{id(shock("NORTH-0001", 0)), id(shock("NORTH-0002", 1))}) || asked.Load() != 2 {
		t.Errorf("told are %v, asked was %d times; want each once", told, asked.Load())
	}
	updates := 0
	for _, e := range manager.Heard {
		if e.Name == "truck_update" {
			updates++
		}
	}
	if updates != 1 {
		t.Errorf("%d updates of one reading, want 1", updates)
	}
}

// TestSnapshotOnEveryNode is weakness 5: who connected saw what that replica knew, for
// ever.
func TestSnapshotOnEveryNode(t *testing.T) { everywhere(t, snapshotOnEveryNode) }

func snapshotOnEveryNode(t *testing.T, with shared) {
	with.with = func(o *fleet.Options) { o.Forget = 2 * time.Hour }
	nodes := cluster(t, 3, with)
	gone := reading("NORTH-0003", -7200)
	nodes[0].take(reading("NORTH-0001", 0), gone)
	nodes[1].take(reading("NORTH-0002", 0), reading("NORTH-0001", 5))
	nodes[2].take(reading("NORTH-0001", 3)) // late
	for i, n := range nodes {
		d := n.open("manager")
		w := d.watch(map[string]any{"bounds": fleet.Bounds{South: 46, West: 23, North: 47, East: 24}})
		if len(w.Trucks) != 2 || w.Trucks[0] != reading("NORTH-0001", 5) || w.Trucks[1] != reading("NORTH-0002", 0) || w.InView != 2 {
			t.Fatalf("node %d shows %+v", i, w)
		}
	}
	d := nodes[2].open("manager")
	d.watch(map[string]any{"trucks": []string{"NORTH-0001"}})
	nodes[0].take(reading("NORTH-0002", 6), reading("NORTH-0001", 6))
	if got := d.waitUpdate(); got != reading("NORTH-0001", 6) {
		t.Errorf("the update is %+v", got)
	}
	nodes[1].take(reading("NORTH-0001", 4)) // older than what is shown
	nodes[1].take(reading("NORTH-0001", 7))
	if got := d.waitUpdate(); got != reading("NORTH-0001", 7) {
		t.Errorf("the update is %+v, want the newest", got)
	}
}

// TestSlowRisk is weakness 6: while the risk service thought, the partition stood.
func TestSlowRisk(t *testing.T) {
	release := make(chan struct{})
	nodes := cluster(t, 1, shared{
		risk: func(ctx context.Context, _ fleet.Reading) (json.RawMessage, error) {
			select {
			case <-release:
			case <-ctx.Done():
			}
			return nil, errors.New("it is broken")
		},
		with: func(o *fleet.Options) { o.RiskTimeout = patience },
	})
	d := nodes[0].open("manager")
	d.watch(map[string]any{"trucks": []string{"NORTH-0001"}})
	nodes[0].take(shock("NORTH-0001", 0))
	nodes[0].take(reading("NORTH-0001", 1))
	d.waitUpdate()
	if got := d.waitUpdate(); got != reading("NORTH-0001", 1) {
		t.Errorf("the update is %+v", got)
	}
	close(release)
	if a := d.waitAlert(); a.Risk != nil && string(a.Risk) != "null" || a.ID != id(shock("NORTH-0001", 0)) {
		t.Errorf("the alert is %+v, want it without a risk", a)
	}
}

// TestNoAlertIsMissed is weakness 7: an alert while a dashboard was away was gone.
func TestNoAlertIsMissed(t *testing.T) { everywhere(t, noAlertIsMissed) }

func noAlertIsMissed(t *testing.T, with shared) {
	nodes := cluster(t, 2, with)
	there := nodes[0].open("manager")
	nodes[1].take(warm("NORTH-0001", 0))
	there.waitAlert() // a client without an event has nothing to recover from
	there.Lose()
	nodes[1].take(shock("NORTH-0001", 0))
	late := nodes[1].open("manager")
	nodes[1].take(shock("NORTH-0002", 1))
	for late.waitAlert().ID != id(shock("NORTH-0002", 1)) {
		t.Log("the first alert came live as well")
	}
	want := []string{id(shock("NORTH-0002", 1)), id(warm("NORTH-0001", 0)), id(shock("NORTH-0001", 0))}
	if got := late.alerts(); !slices.Equal(got, want) {
		t.Errorf("who comes late reads %v, want %v", got, want)
	}
	back := &dashboard{there.Resume(nodes[1].url), t}
	back.Rewind()
	got := []string{back.waitAlert().ID, back.waitAlert().ID}
	slices.Sort(got)
	if !slices.Equal(got, []string{want[2], want[0]}) {
		t.Errorf("who comes back hears %v, want %s and %s", got, want[2], want[0])
	}
}

// fragile is a store that can be away.
type fragile struct {
	archive.Store
	away atomic.Bool
}

func (s *fragile) Append(ctx context.Context, entries []archive.Entry) error {
	if s.away.Load() {
		return errors.New("the store is away")
	}
	return s.Store.Append(ctx, entries)
}

// TestStoreAway is weakness 14: alerts are told while they cannot be kept, and kept
// later.
func TestStoreAway(t *testing.T) { everywhere(t, storeAway) }

func storeAway(t *testing.T, with shared) {
	store := &fragile{Store: openStore(t)}
	store.away.Store(true)
	with.store = store
	nodes := cluster(t, 2, with)
	there := nodes[0].open("manager")
	nodes[0].take(shock("NORTH-0001", 0))
	there.waitAlert()
	late := nodes[1].open("manager") // after it was told, before it is kept
	if got := late.alerts(); len(got) != 0 {
		t.Fatalf("read are %v before they are kept", got)
	}
	store.away.Store(false)
	if a := late.waitAlert(); a.ID != id(shock("NORTH-0001", 0)) {
		t.Errorf("told is %s", a.ID)
	}
	if got := late.alerts(); !slices.Equal(got, []string{id(shock("NORTH-0001", 0))}) {
		t.Errorf("kept are %v", got)
	}
}

// connectAnswer is what the server says to CONNECT with that payload.
func connectAnswer(t *testing.T, n *node, auth string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, n.url+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	if _, _, err := ws.Read(ctx); err != nil {
		t.Fatal(err)
	}
	if err := ws.Write(ctx, websocket.MessageText, []byte("40"+auth)); err != nil {
		t.Fatal(err)
	}
	_, text, err := ws.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestOnlyWhoMay is weakness 9: everybody got everything, filtered by the page.
func TestOnlyWhoMay(t *testing.T) { everywhere(t, onlyWhoMay) }

func onlyWhoMay(t *testing.T, with shared) {
	nodes := cluster(t, 2, with)
	n := nodes[0]
	token := n.token("north")
	forged := token[:strings.LastIndexByte(token, '.')+1] + "AAAA"
	for _, auth := range []string{"", "{}", `{"token":"x"}`, `{"token":"` + forged + `"}`} {
		if got := connectAnswer(t, n, auth); !strings.HasPrefix(got, "44") {
			t.Errorf("CONNECT with %.20s is answered with %s, want a refusal", auth, got)
		}
	}
	north, manager := n.open("north"), n.open("manager")
	nodes[1].take(reading("NORTH-0001", 0), reading("SOUTH-0001", 0), shock("SOUTH-0001", 1))
	everywhere := map[string]any{"bounds": fleet.Bounds{South: -90, West: -180, North: 90, East: 180}}
	if w := north.watch(everywhere); len(w.Trucks) != 1 || w.Trucks[0].Truck != "NORTH-0001" || w.Known != 1 {
		t.Errorf("a pharmacist sees %+v, want the own fleet", w)
	}
	if w := manager.watch(everywhere); len(w.Trucks) != 2 {
		t.Errorf("a manager sees %+v, want all", w)
	}
	for _, truck := range []string{"SOUTH-0001", "*", "", "NORTH-0001\x00"} {
		if north.Refusal(north.Ask("watch", map[string]any{"trucks": []string{truck}})) == "" {
			t.Errorf("a pharmacist may watch %q", truck)
		}
	}
	if w := north.watch(map[string]any{"bounds": everywhere["bounds"], "fleets": []string{"SOUTH"}}); len(w.Trucks) != 0 {
		t.Errorf("a filter shows %+v of another fleet", w)
	}
	nodes[1].take(shock("NORTH-0001", 2), reading("SOUTH-0001", 3))
	manager.waitAlert()
	manager.waitAlert()
	if a := north.waitAlert(); a.ID != id(shock("NORTH-0001", 2)) || len(north.heard()) != 1 {
		t.Errorf("a pharmacist hears %v", north.heard())
	}
	if got := north.alerts(); !slices.Equal(got, []string{id(shock("NORTH-0001", 2))}) {
		t.Errorf("a pharmacist reads %v", got)
	}
	for _, e := range north.Heard {
		if strings.Contains(e.String(), "SOUTH") {
			t.Errorf("a pharmacist hears %s", e)
		}
	}
}

// TestNobodyMakesThemselvesManager is weakness 10.
func TestNobodyMakesThemselvesManager(t *testing.T) {
	n := cluster(t, 1, shared{})[0]
	if r := n.post("/api/auth/register", "", map[string]string{"username": "x", "password": "y", "role": "MANAGER"}); r.status != http.StatusNotFound {
		t.Errorf("register is answered with %v", r)
	}
	for _, in := range []map[string]string{{"username": "manager", "password": "admin"}, {"username": "nobody", "password": password}, {}} {
		if r := n.post("/api/auth/login", "", in); r.status != http.StatusUnauthorized {
			t.Errorf("login of %v is answered with %v", in, r)
		}
	}
	token := n.token("north")
	r := n.post("/api/auth/verify", "", map[string]string{"token": token})
	user, _ := r.body["user"].(map[string]any)
	if user["role"] != "PHARMACIST" {
		t.Errorf("the token says %v", r)
	}
	for _, shown := range []string{"", "x", token} {
		r := n.post("/api/telemetry/simulate/shock", shown, map[string]string{"truckId": "NORTH-0001"})
		if r.status != http.StatusUnauthorized && r.status != http.StatusForbidden {
			t.Errorf("a shock by %.8q is answered with %v", shown, r)
		}
	}
}

// TestShockIsWhole is weakness 11: a made-up shock had no place on the map.
func TestShockIsWhole(t *testing.T) {
	n := cluster(t, 1, shared{risk: fleet.EstimateRisk})[0]
	d, token := n.open("manager"), n.token("manager")
	if r := n.post("/api/telemetry/simulate/shock", token, map[string]string{"truckId": "NORTH-0001"}); r.status != http.StatusNotFound {
		t.Errorf("the shock of a truck that is not known is answered with %v", r)
	}
	n.take(reading("NORTH-0001", 0))
	if r := n.post("/api/telemetry/simulate/shock", token, map[string]string{"truckId": "NORTH-0001"}); r.status != http.StatusOK {
		t.Errorf("the shock is answered with %v", r)
	}
	a := d.waitAlert()
	if a.Location != (fleet.Location{Lat: 46.77, Lng: 23.6}) || a.Type != fleet.Critical || a.Message != "High Shock Detected: 15.0G" {
		t.Errorf("the alert is %+v", a)
	}
	var risk struct {
		Loss float64 `json:"estimated_loss"`
	}
	if d.Decode(a.Risk, &risk); risk.Loss != 1500 {
		t.Errorf("the loss is %v, want 1500", risk.Loss)
	}
}

// TestBadRecords is weakness 12: one bad record came again for ever.
func TestBadRecords(t *testing.T) {
	n := cluster(t, 1, shared{})[0]
	d := n.open("manager")
	d.watch(map[string]any{"trucks": []string{"NORTH-0001", "NORTH-0002"}})
	good, err := json.Marshal(reading("NORTH-0001", 0))
	if err != nil {
		t.Fatal(err)
	}
	other := []byte(`{"truckId":"NORTH-0002","location":{"lat":46.7,"lng":23.5},"temperature":5,"vibration":15,"timestamp":1700000000000}`)
	err = n.Records(t.Context(), []*belfry.Record{{Value: []byte("{")}, {Value: good}, {Value: nil}, {Value: other}})
	var poison *belfry.PoisonBatchError
	if !errors.As(err, &poison) || len(poison.Reasons) != 2 || poison.Reasons[0] == nil || poison.Reasons[2] == nil {
		t.Fatalf("the error is %v, want that records 0 and 2 are bad", err)
	}
	got := []string{d.waitUpdate().Truck, d.waitUpdate().Truck}
	slices.Sort(got)
	if !slices.Equal(got, []string{"NORTH-0001", "NORTH-0002"}) {
		t.Errorf("updates are of %v", got)
	}
	if a := d.waitAlert(); a.Location != (fleet.Location{Lat: 46.7, Lng: 23.5}) {
		t.Errorf("the alert is at %v", a.Location)
	}
}

// TestSessionsEnd ends who has shown a token that is too old by now.
func TestSessionsEnd(t *testing.T) {
	n := cluster(t, 1, shared{with: func(o *fleet.Options) { o.TokenLife = 4 * time.Second }})[0]
	token := n.token("north")
	d := socketiotest.Connect(t, socketiotest.Options{URL: n.url, Auth: map[string]string{"token": token}})
	for d.Take() != "41" {
		t.Log("not yet")
	}
	if got := connectAnswer(t, n, `{"token":"`+token+`"}`); !strings.HasPrefix(got, "44") {
		t.Errorf("an old token is answered with %s", got)
	}
}
