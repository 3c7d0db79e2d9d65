module github.com/otel-goroutine/otel-goroutine/internal/profile/testdata/make

go 1.23
