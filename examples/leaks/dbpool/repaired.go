package dbpool

import (
	"context"
	"database/sql"
	"errors"
)

// NameRepaired is NameLeaky without the leak, and gives up when ctx is done.
//
// Fix: defer rows.Close (or use QueryRowContext), and pass the context of the
// request, so that a call does not wait for a connection longer than its caller.
func NameRepaired(ctx context.Context, db *sql.DB, customer int) (name string, err error) {
	rows, err := db.QueryContext(ctx, "SELECT name FROM customers WHERE number = ?", customer)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if rows.Next() {
		err = rows.Scan(&name)
	}
	return name, errors.Join(err, rows.Err())
}
