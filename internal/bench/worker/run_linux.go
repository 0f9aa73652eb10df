package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/seed-09a96375/belfry/internal/bench/stamp"
)

// Run does what the orders in in say and reports to out, until OpQuit or the
// end of in. A fault is reported and returned.
func Run(in io.Reader, out io.Writer) error {
	orders := make(chan Order, 16)
	stop := make(chan struct{})
	defer close(stop)
	go listen(in, orders, stop)
	err := obeySetup(orders, out)
	if err != nil {
		fault := new(Fault)
		if !errors.As(err, &fault) {
			fault = &Fault{Text: err.Error()}
		}
		// Nobody is left to tell if this fails.
		_ = json.NewEncoder(out).Encode(Report{Op: OpFailed, Fault: fault})
	}
	return err
}

func obeySetup(orders <-chan Order, out io.Writer) error {
	first, ok := <-orders
	if !ok || first.Op == OpQuit {
		return nil
	}
	if first.Op != OpSetup || first.Setup == nil {
		return fmt.Errorf("the first order is %q: want %q", first.Op, OpSetup)
	}
	l, err := newLoop(*first.Setup, stamp.NewClock(), orders, out)
	if err != nil {
		return err
	}
	return l.run()
}

// listen passes orders on until the last one, or until nobody wants them.
func listen(in io.Reader, orders chan<- Order, stop <-chan struct{}) {
	defer close(orders)
	dec := json.NewDecoder(in)
	for {
		var o Order
		if dec.Decode(&o) != nil {
			return // the parent is gone, or out of its mind
		}
		select {
		case orders <- o:
		case <-stop:
			return
		}
		if o.Op == OpQuit {
			return
		}
	}
}
