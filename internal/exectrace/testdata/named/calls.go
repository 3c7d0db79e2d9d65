package main

/*
#cgo LDFLAGS: -pthread
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

extern void waitForAnswer(void);
extern int descend(int);
extern void waitInC(int);

static int waitByte(int fd) {
	char c;
	return (int)read(fd, &c, 1);
}

static int waitInto(int fd, char *c) { return (int)read(fd, c, 1); }

#define WAITED waitByte(pauseOf[0])
static int pauseOf[2];
static void prepare(void) { (void)!pipe(pauseOf); }

static int nest(int depth) { return descend(depth); }

static void *answer(void *unused) {
	waitForAnswer();
	return unused;
}

static void *inC(void *unused) {
	waitInC(pauseOf[0]);
	return unused;
}

// callBack calls Go from two threads that Go knows nothing of.
static void callBack(void) {
	pthread_t thread;
	pthread_create(&thread, NULL, answer, NULL);
	pthread_create(&thread, NULL, inC, NULL);
}
*/
import "C"

import (
	"syscall"
	"unsafe"
)

// leakCalls leaks goroutines that call C, and goroutines that C calls.
func leakCalls() {
	C.prepare()
	for range 3 {
		go callC(reader())
	}
	go callCForError(reader())
	go callCWithPointer(reader())
	go callMacro()
	go callNested()
	C.callBack()
}

// reader returns a file descriptor from which nothing can be read.
func reader() C.int {
	var fds [2]int
	must(syscall.Pipe(fds[:]))
	return C.int(fds[0])
}

func callC(fd C.int) { C.waitByte(fd) }

func callCForError(fd C.int) {
	_, err := C.waitByte(fd)
	must(err)
}

func callCWithPointer(fd C.int) {
	var c [1]byte
	C.waitInto(fd, (*C.char)(unsafe.Pointer(&c[0])))
}

func callMacro() { _ = C.WAITED }

// callNested goes from Go to C and back, twice.
func callNested() { C.nest(1) }

//export descend
func descend(depth C.int) C.int {
	if depth == 0 {
		waitBelowC()
	}
	return C.nest(depth - 1)
}

func waitBelowC() { <-never }

//export waitForAnswer
func waitForAnswer() { receiveAnswer() }

func receiveAnswer() { <-never }

//export waitInC
func waitInC(fd C.int) { C.waitByte(fd) }
