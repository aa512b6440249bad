package filelock

// Wait is what takes a turn.
var Wait = wait
