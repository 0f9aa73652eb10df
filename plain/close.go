package plain

// End tells the client why, and closes the connection. Only the first call counts.
func (c *Conn) End(code, message string) { c.fail(&Error{Code: code, Message: message}, nil) }

// fail answers a request, or none, with an error, and ends the connection.
func (c *Conn) fail(e *Error, id []byte) {
	if !c.leave() {
		return
	}
	if c.stream {
		c.send(streamEvent(eventError, "", e))
	} else {
		c.send(errorFrame(id, e))
	}
	c.out.Close(e.closeCode(), e.Code)
}

// shutdown ends the connection without an error: the client is to come back.
func (c *Conn) shutdown() {
	if c.leave() {
		c.out.Close((&Error{Code: codeShutdown}).closeCode(), "server shutting down")
	}
}

// leave ends the connection for everybody here. It reports whether this call did.
func (c *Conn) leave() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state >= ended {
		return false
	}
	c.state, c.hold = ended, nil
	c.server.wheel.Stop(&c.timer)
	if c.cancel != nil {
		c.cancel()
	}
	return true
}
