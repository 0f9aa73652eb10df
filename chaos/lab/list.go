package lab

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Number sends a command whose answer is a number.
func (r *Redis) Number(ctx context.Context, words ...string) (int, error) {
	line, err := r.Ask(ctx, words...)
	if err != nil {
		return 0, err
	}
	text, ok := strings.CutPrefix(line, ":")
	if !ok {
		return 0, errors.New(line)
	}
	return strconv.Atoi(text)
}

// List returns the elements of a list, which have no ends of lines in them.
func (r *Redis) List(ctx context.Context, key string) ([]string, error) {
	n, err := r.Number(ctx, "LLEN", key)
	if err != nil || n == 0 {
		return nil, err
	}
	lines, err := r.ask(ctx, 1+2*n, "LRANGE", key, "0", strconv.Itoa(n-1))
	if err != nil {
		return nil, err
	}
	if len(lines) != 1+2*n {
		return nil, fmt.Errorf("%s: %d lines for %d elements", r.name, len(lines), n)
	}
	all := make([]string, 0, n)
	for i := 2; i < len(lines); i += 2 {
		all = append(all, lines[i])
	}
	return all, nil
}
