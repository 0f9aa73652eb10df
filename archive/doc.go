// Package archive keeps messages for good: a consumer that writes what a source
// brings into a database, and the way to read a room's past.
//
//	source ──records──▶ Archiver ──entries──▶ Store (postgres, sqlite)
//	   ▲                   │
//	   └──── done with ────┘    only after the rows are committed
//
//	client ◀──page, offset── Reader ◀── Store
//	   └─ joins the room with that offset: no hole, no double
//
// A message is one row, however often it is delivered: a row is named by the id of
// its message and the message's own time, and both are the same each time.
package archive
