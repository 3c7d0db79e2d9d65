package main

import (
	"bytes"
	"fmt"
)

// series is the number of series in a page of metrics.
const series = 200

// metricPages returns a page of metrics for each service in the format of client_golang.
func metricPages() [][]byte {
	pages := make([][]byte, services)
	for i := range pages {
		pages[i] = metricPage(i)
	}
	return pages
}

func metricPage(service int) []byte {
	const families = 10
	var page bytes.Buffer
	for family := range families {
		name := fmt.Sprintf("shop%03d_http_server_requests_%02d_total", service, family)
		fmt.Fprintf(&page, "# HELP %s Requests that were answered.\n# TYPE %s counter\n", name, name)
		for i := range series / families {
			fmt.Fprintf(&page, "%s{method=%q,route=%q,status=%q} %d\n", name, "GET", fmt.Sprintf("/shop/%d/items", i), "200", 1000*i)
		}
	}
	return page.Bytes()
}
