module make

go 1.23
