// Package dbpool shows connections of a database pool that are never given back.
package dbpool

import "database/sql"

// NameLeaky returns the name of a customer.
//
// Mistake: rows are not closed. Rows that were read to their end close
// themselves, but this takes the first and leaves, and keeps its connection. When
// the pool has none left, every further call waits for one forever.
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
