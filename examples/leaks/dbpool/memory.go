package dbpool

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
)

// OpenMemory returns an in-memory database with one table of numbers and names. Its
// pool has the given number of connections.
func OpenMemory(connections int, names ...string) *sql.DB {
	db := sql.OpenDB(memory(names))
	db.SetMaxOpenConns(connections)
	return db
}

// memory is the driver. Every query is for the name of a number.
type memory []string

func (m memory) Connect(context.Context) (driver.Conn, error) { return session{m}, nil }
func (m memory) Driver() driver.Driver                        { return nil }

type session struct{ names memory }

var errUnsupported = errors.New("the in-memory database supports only queries")

func (s session) Prepare(string) (driver.Stmt, error) { return nil, errUnsupported }
func (s session) Begin() (driver.Tx, error)           { return nil, errUnsupported }
func (s session) Close() error                        { return nil }

// QueryContext implements driver.QueryerContext.
func (s session) QueryContext(_ context.Context, _ string, args []driver.NamedValue) (driver.Rows, error) {
	number, ok := args[0].Value.(int64)
	if !ok || number < 0 || int(number) >= len(s.names) {
		return &rows{}, nil
	}
	return &rows{left: s.names[number : number+1]}, nil
}

type rows struct{ left memory }

func (r *rows) Columns() []string { return []string{"name"} }
func (r *rows) Close() error      { return nil }

func (r *rows) Next(row []driver.Value) error {
	if len(r.left) == 0 {
		return io.EOF
	}
	row[0], r.left = r.left[0], r.left[1:]
	return nil
}
