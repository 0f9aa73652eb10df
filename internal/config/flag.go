package config

import (
	"github.com/spf13/pflag"
)

// flagValue keeps what the command line says until the other sources are read.
type flagValue struct {
	setting *setting
	path    string
	given   []string
}

func addFlag(f *pflag.FlagSet, path string, s *setting) *flagValue {
	v := &flagValue{setting: s, path: path}
	flag := f.VarPF(v, s.flag, "", s.usage)
	if s.value.Type() == "bool" {
		flag.NoOptDefVal = "true"
	}
	return v
}

// Set checks now, so that a wrong flag is an error of the command line.
func (v *flagValue) Set(text string) error {
	v.given = append(v.given, text)
	if _, ref := reference(v.setting, text); ref {
		return nil
	}
	return v.setting.value.Set(text)
}

func (v *flagValue) String() string {
	if v.setting == nil {
		return ""
	}
	return v.setting.value.String()
}

func (v *flagValue) Type() string { return v.setting.value.Type() }
