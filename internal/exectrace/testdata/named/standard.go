package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// leakStandard leaks goroutines that are all of the standard library, but for package
// net/http.
func leakStandard() {
	leakProcesses()
	leakSignals()
	leakDatabase()
	leakRPC()
	leakCopies()
	leakContexts()
	go resolve()
	leakDirect()
	time.AfterFunc(time.Millisecond, fired)
}

// leakProcesses starts commands whose output, input and end are waited for.
func leakProcesses() {
	ctx, _ := context.WithCancel(context.Background()) // It is never cancelled.
	sleeps := exec.CommandContext(ctx, "sleep", "5")
	sleeps.Stdout = new(bytes.Buffer)
	must(sleeps.Start())

	reads := exec.Command("sleep", "5")
	reads.Stdin, _ = io.Pipe()
	must(reads.Start())
	go reads.Wait() // The process ends first.
}

func leakSignals() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGUSR1)
	_, _ = signal.NotifyContext(context.Background(), syscall.SIGUSR2) // It is never stopped.
}

// leakDatabase leaves a pool and the rows of a query open.
func leakDatabase() {
	db := sql.OpenDB(connector{})
	ctx, _ := context.WithCancel(context.Background()) // It is never cancelled.
	_ = get(db.QueryContext(ctx, "select"))
	db.SetConnMaxIdleTime(time.Hour)
	_ = get(db.BeginTx(ctx, nil))
}

// connector is a database without content.
type connector struct{}

func (c connector) Connect(context.Context) (driver.Conn, error) { return c, nil }
func (connector) Driver() driver.Driver                          { return nil }
func (c connector) Prepare(string) (driver.Stmt, error)          { return c, nil }
func (c connector) Begin() (driver.Tx, error)                    { return c, nil }
func (connector) Commit() error                                  { return nil }
func (connector) Rollback() error                                { return nil }
func (connector) Close() error                                   { return nil }
func (connector) NumInput() int                                  { return 0 }
func (c connector) Query([]driver.Value) (driver.Rows, error)    { return c, nil }
func (connector) Columns() []string                              { return nil }
func (connector) Next([]driver.Value) error                      { return nil }
func (connector) Exec([]driver.Value) (driver.Result, error) {
	return nil, errors.ErrUnsupported
}

func leakRPC() {
	client, server := connections()
	go rpc.ServeConn(server)
	_ = rpc.NewClient(client)
	client, server = connections()
	go jsonrpc.ServeConn(server)
	_ = jsonrpc.NewClient(client)
	go rpc.Accept(get(net.Listen("tcp", "127.0.0.1:0")))
}

// connections returns both ends of a connection.
func connections() (client, server net.Conn) {
	listener := get(net.Listen("tcp", "127.0.0.1:0"))
	client = keep(get(net.Dial("tcp", listener.Addr().String())))
	return client, keep(get(listener.Accept()))
}

func leakCopies() {
	client, _ := connections()
	go io.Copy(io.Discard, client) // It does not end.
	reader, _ := io.Pipe()
	go io.Copy(io.Discard, reader) // It does not end.
	go unzip()
}

func unzip() {
	reader, _ := io.Pipe()
	_, _ = gzip.NewReader(reader)
}

// leakContexts has package context watch a context that is none of its own.
func leakContexts() {
	_, _ = context.WithCancel(foreign{Context: context.Background()}) // It is never cancelled.
}

type foreign struct{ context.Context }

func (foreign) Done() <-chan struct{} { return make(chan struct{}) }

// resolve asks a name server that does not answer.
func resolve() {
	mute := keep(get(net.ListenPacket("udp", "127.0.0.1:0")))
	resolver := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("udp", mute.LocalAddr().String())
	}}
	_, _ = resolver.LookupIPAddr(context.Background(), "name.invalid")
}

// leakDirect starts functions of the standard library that wait themselves.
func leakDirect() {
	mutex, group := new(sync.Mutex), new(sync.WaitGroup)
	mutex.Lock()
	group.Add(1)
	go mutex.Lock()
	go group.Wait()
	go time.Sleep(time.Hour)
	group.Go(wait)
}

func wait() { <-never }

func fired() { <-never }
