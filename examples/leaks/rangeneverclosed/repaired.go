package rangeneverclosed

import (
	"bufio"
	"io"
	"strconv"
)

// ImportRepaired is ImportLeaky without the leak. It returns after the last row has been
// stored.
//
// Fix: the sender defers the close of the channel, so it is closed on every path.
func ImportRepaired(lines io.Reader, store func(int)) error {
	rows, stored := make(chan int), make(chan struct{})
	go storeRepaired(rows, store, stored)
	defer func() { <-stored }()
	defer close(rows)
	scanner := bufio.NewScanner(lines)
	for scanner.Scan() {
		row, err := strconv.Atoi(scanner.Text())
		if err != nil {
			return err
		}
		rows <- row
	}
	return scanner.Err()
}

func storeRepaired(rows <-chan int, store func(int), stored chan<- struct{}) {
	defer close(stored)
	for row := range rows {
		store(row)
	}
}
