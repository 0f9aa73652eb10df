package config

// LogFlags are the settings of the log, for commands without a tree.
func LogFlags(l *Log) Group { return Group{l.settings()} }
