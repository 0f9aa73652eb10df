module github.com/seed-09a96375/belfry/interop

go 1.26.0

require github.com/seed-09a96375/belfry v0.0.0

require (
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/philhofer/fwd v1.2.0 // indirect
	github.com/tinylib/msgp v1.6.5 // indirect
	go.uber.org/goleak v1.3.0
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/seed-09a96375/belfry => ../
