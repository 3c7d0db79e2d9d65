module internal/app

go 1.26.0
