package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry/redisconn"
)

// Redis is a State for the nodes that share a Redis. Keys, with the prefix in front:
//
//	{fleet}:latest               hash: truck → "<ms> <reading as JSON>"
//	{fleet}:alert:<truck>:<type> "<ms> <id>" of the last alert; for an hour and apart
type Redis struct {
	client rueidis.Client
	prefix string
}

// OpenRedis connects to a Redis. Prefix is what keys begin with; default "belfry:".
// The caller closes the Redis.
func OpenRedis(ctx context.Context, o redisconn.Options, prefix string) (*Redis, error) {
	client, err := o.Open(ctx)
	if err != nil {
		return nil, err
	}
	if prefix == "" {
		prefix = "belfry:"
	}
	return &Redis{client, prefix}, nil
}

// Close closes the connection. No call may be under way.
func (s *Redis) Close() { s.client.Close() }

func (s *Redis) latest() string { return s.prefix + "{fleet}:latest" }

// put sets what is newer than what is there. ARGV: truck, value, truck, value, …
var put = rueidis.NewLuaScript(`
local newer = {}
for i = 1, #ARGV, 2 do
  local is = redis.call('HGET', KEYS[1], ARGV[i])
  local ms = tonumber(string.match(ARGV[i + 1], '^%d+'))
  if is and tonumber(string.match(is, '^%d+')) >= ms then
    newer[#newer + 1] = 0
  else
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
    newer[#newer + 1] = 1
  end
end
return newer`)

// Put implements State.
func (s *Redis) Put(ctx context.Context, readings []Reading) ([]bool, error) {
	if len(readings) == 0 {
		return nil, nil
	}
	args := make([]string, 0, 2*len(readings))
	for _, r := range readings {
		text, err := json.Marshal(r)
		if err != nil {
			return nil, fmt.Errorf("encode a reading: %w", err)
		}
		args = append(args, r.Truck, strconv.FormatInt(r.Time.UnixMilli(), 10)+" "+string(text))
	}
	said, err := put.Exec(ctx, s.client, []string{s.latest()}, args).AsIntSlice()
	if err != nil {
		return nil, fmt.Errorf("keep readings: %w", err)
	}
	newer := make([]bool, len(readings))
	for i := range newer {
		newer[i] = i < len(said) && said[i] == 1
	}
	return newer, nil
}

// Latest implements State.
func (s *Redis) Latest(ctx context.Context, trucks []string) ([]Reading, error) {
	if len(trucks) == 0 {
		return nil, nil
	}
	values, err := s.client.Do(ctx, s.client.B().Hmget().Key(s.latest()).Field(trucks...).Build()).ToArray()
	if err != nil {
		return nil, fmt.Errorf("read the last readings: %w", err)
	}
	found := make([]Reading, 0, len(values))
	for _, v := range values {
		text, err := v.ToString()
		if rueidis.IsRedisNil(err) {
			continue
		}
		if r, ok := parseLatest(text); ok && err == nil {
			found = append(found, r)
		}
	}
	return found, nil
}

// parseLatest passes over what is not one of ours.
func parseLatest(text string) (r Reading, ok bool) {
	_, text, ok = strings.Cut(text, " ")
	return r, ok && json.Unmarshal([]byte(text), &r) == nil
}

// forget drops trucks whose value is still the one that was seen.
var forget = rueidis.NewLuaScript(`
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then redis.call('HDEL', KEYS[1], ARGV[i]) end
end
return 0`)

// All implements State.
func (s *Redis) All(ctx context.Context, older time.Time) ([]Reading, error) {
	values, err := s.client.Do(ctx, s.client.B().Hgetall().Key(s.latest()).Build()).AsStrMap()
	if err != nil {
		return nil, fmt.Errorf("read all readings: %w", err)
	}
	all := make([]Reading, 0, len(values))
	var gone []string
	for truck, text := range values {
		if r, ok := parseLatest(text); ok && !r.Time.Before(older) {
			all = append(all, r)
		} else {
			gone = append(gone, truck, text)
		}
	}
	const most = 2000 // arguments of one script
	for len(gone) > 0 {
		n := min(most, len(gone))
		if err := forget.Exec(ctx, s.client, []string{s.latest()}, gone[:n]).Error(); err != nil {
			return nil, fmt.Errorf("forget trucks: %w", err)
		}
		gone = gone[n:]
	}
	return all, nil
}

// claimed is Memory.Claim. ARGV: ms, id, ms apart, ms to live.
var claimed = rueidis.NewLuaScript(`
local last = redis.call('GET', KEYS[1])
if last then
  local ms, id = string.match(last, '^(%d+) (.*)$')
  if id == ARGV[2] then return 1 end
  if tonumber(ARGV[1]) < tonumber(ms) + tonumber(ARGV[3]) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[4])
return 1`)

// Claim implements State.
func (s *Redis) Claim(ctx context.Context, a Alert, apart time.Duration) (bool, error) {
	key := s.prefix + "{fleet}:alert:" + a.Truck + ":" + a.Type
	said, err := claimed.Exec(ctx, s.client, []string{key}, []string{
		strconv.FormatInt(a.Time.UnixMilli(), 10), a.ID,
		strconv.FormatInt(apart.Milliseconds(), 10), strconv.FormatInt((apart + claimLife).Milliseconds(), 10),
	}).AsInt64()
	if err != nil {
		return false, fmt.Errorf("claim an alert: %w", err)
	}
	return said == 1, nil
}

// maxOrders is about how many order events AddOrder keeps in a stream.
const maxOrders = 100_000

// AddOrder appends an order event to a Redis Stream, a field for each part of it.
func (s *Redis) AddOrder(ctx context.Context, stream string, o Order) error {
	c := s.client.B().Xadd().Key(stream).Maxlen().Almost().Threshold(strconv.Itoa(maxOrders)).Id("*").FieldValue().
		FieldValue("orderId", o.ID).FieldValue("event", o.Event).FieldValue("timestamp", o.Time.Format(time.RFC3339Nano)).
		FieldValue("product", o.Product).FieldValue("quantity", strconv.Itoa(o.Quantity)).
		FieldValue("user", o.User).FieldValue("truckId", o.Truck)
	if err := s.client.Do(ctx, c.Build()).Error(); err != nil {
		return fmt.Errorf("write an order event: %w", err)
	}
	return nil
}
