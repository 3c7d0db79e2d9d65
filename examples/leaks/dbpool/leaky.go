// Package dbpool shows database connections that are never returned to the pool.
package dbpool

import "database/sql"

// NameLeaky returns the name of a customer.
//
// Mistake: rows are not closed. Rows close themselves after the last one has been
// read, but this reads only the first, and keeps its connection. When the pool is
// exhausted, every further call waits for a connection forever.
func NameLeaky(db *sql.DB, customer int) (name string, err error) {
	rows, err := db.Query("SELECT name FROM customers WHERE number = ?", customer) // leaks here
	if err != nil {
		return "", err
	}
	if rows.Next() {
		err = rows.Scan(&name)
	}
	return name, err
}
