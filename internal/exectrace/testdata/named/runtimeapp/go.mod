module runtime/app

go 1.26.0
