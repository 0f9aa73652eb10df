module github.com/seed-09a96375/belfry/interop

go 1.26.0

require github.com/seed-09a96375/belfry v0.0.0

require go.uber.org/goleak v1.3.0 // indirect

replace github.com/seed-09a96375/belfry => ../
