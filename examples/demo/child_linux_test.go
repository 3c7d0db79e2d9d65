package main

import (
	"os"
	"testing"
)

// actParent starts a child that reports, and waits for it.
func actParent() int {
	c, err := startChild("the child", os.Args[0], nil, []string{roleVariable + "=stubborn"})
	if err != nil {
		return 1
	}
	<-c.ended
	return 0
}

// A demonstration that is killed has no chance to end its children.
func TestChildDiesWithAKilledParent(t *testing.T) {
	address, here := reports(t)
	parent := startRole(t, "parent", reportVariable+"="+address)
	gone := here() // the grandchild reports
	if err := parent.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-parent.ended
	gone()
}
