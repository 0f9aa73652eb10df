package lab

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Group says how many entries of a stream were not delivered to a group, and how many
// it has not acknowledged.
func (r *Redis) Group(ctx context.Context, stream, group string) (lag, pending int, err error) {
	const script = `for _, g in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
		local f = {}
		for i = 1, #g, 2 do f[g[i]] = g[i + 1] end
		if f.name == ARGV[1] then
			local left = redis.call('XRANGE', KEYS[1], '(' .. f['last-delivered-id'], '+', 'COUNT', 1000)
			return redis.status_reply(#left .. ' ' .. f.pending)
		end
	end
	return redis.error_reply('NOGROUP')`
	line, err := r.Ask(ctx, "EVAL", script, "1", stream, group)
	if err != nil {
		return 0, 0, err
	}
	text, ok := strings.CutPrefix(line, "+")
	if !ok {
		return 0, 0, errors.New(line)
	}
	_, err = fmt.Sscanf(text, "%d %d", &lag, &pending)
	return lag, pending, err
}
