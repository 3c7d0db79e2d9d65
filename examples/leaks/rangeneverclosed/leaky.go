// Package rangeneverclosed shows a loop over a channel that is not closed on every path.
package rangeneverclosed

import (
	"bufio"
	"io"
	"strconv"
)

// ImportLeaky reads one number per line and passes them to store.
//
// Mistake: after a line that is not a number it returns without closing the channel, and
// storeLeaky waits for the next row forever.
func ImportLeaky(lines io.Reader, store func(int)) error {
	rows := make(chan int)
	go storeLeaky(rows, store)
	scanner := bufio.NewScanner(lines)
	for scanner.Scan() {
		row, err := strconv.Atoi(scanner.Text())
		if err != nil {
			return err
		}
		rows <- row
	}
	close(rows)
	return scanner.Err()
}

func storeLeaky(rows <-chan int, store func(int)) {
	for row := range rows { // leaks here
		store(row)
	}
}
