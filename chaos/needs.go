package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/seed-09a96375/belfry/chaos/lab"
)

// missing names everything that the experiments need and that is not there.
func missing(subjects []lab.Subject) error {
	var errs []error
	for _, program := range []string{"redis-server", "nginx", "node"} {
		if _, err := exec.LookPath(program); err != nil {
			errs = append(errs, fmt.Errorf("%s is not installed", program))
		}
	}
	folders := []string{"clients"}
	for _, s := range subjects {
		if s.Folder != "" {
			folders = append(folders, s.Folder)
			break
		}
	}
	for _, folder := range folders {
		if _, err := os.Stat(folder + "/node_modules"); err != nil {
			errs = append(errs, fmt.Errorf("%s/node_modules is missing: run npm ci --prefix %[1]s, in the folder chaos", folder))
		}
	}
	return errors.Join(errs...)
}
