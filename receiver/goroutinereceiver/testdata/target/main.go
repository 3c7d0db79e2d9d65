// Command target is a service that leaks a dozen goroutines. It is written for every version of
// Go that the receiver can scrape.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
)

// awaitReply waits for a reply that never comes.
func awaitReply(reply chan int) { <-reply }

func main() {
	for i := 0; i < 12; i++ {
		go awaitReply(make(chan int))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	log.Fatal(http.Serve(listener, nil))
}
