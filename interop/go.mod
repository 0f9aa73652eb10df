module github.com/seed-09a96375/belfry/interop

go 1.26.0

require github.com/seed-09a96375/belfry v0.0.0

replace github.com/seed-09a96375/belfry => ../
