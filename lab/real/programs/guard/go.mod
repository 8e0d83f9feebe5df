module lifeboat.example/real/guard

go 1.26.0
