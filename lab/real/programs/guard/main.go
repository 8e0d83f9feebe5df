// Guard runs a program that must not outlive the lab: guard PROGRAM ARGUMENTS…
//
// The lab holds the other end of guard's standard input. The kernel closes it however the lab ends, and then guard kills the program and
// all that it started. SIGTERM is passed on; SIGINT and SIGHUP of a terminal are the lab's to answer. Exits as the program did, or with
// 128 and the number of the signal that ended it.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
)

// Whoever of the program's children loses its parent becomes ours, prctl(2).
const setChildSubreaper = 36

// The death signal counts for the thread that started the program, and the first thread lives as long as the process.
func init() { runtime.LockOSThread() }

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "guard: no program is named: guard PROGRAM ARGUMENTS…")
		os.Exit(2)
	}
	signal.Ignore(syscall.SIGINT, syscall.SIGHUP)
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, setChildSubreaper, 1, 0)

	program := exec.Command(os.Args[1], os.Args[2:]...)
	program.Stdout, program.Stderr = os.Stdout, os.Stderr
	// A group of its own, so that all of it can be killed; dead when even guard is killed.
	program.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := program.Start(); err != nil {
		fmt.Fprintf(os.Stderr, "guard: %v\n", err)
		os.Exit(127)
	}
	killAll := func() { _ = syscall.Kill(-program.Process.Pid, syscall.SIGKILL) }
	go func() {
		for range asked {
			_ = program.Process.Signal(syscall.SIGTERM)
		}
	}()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		killAll()
	}()

	err := program.Wait()
	killAll()
	os.Exit(codeOf(err))
}

func codeOf(err error) int {
	var exit *exec.ExitError
	if err == nil {
		return 0
	}
	if !errors.As(err, &exit) {
		return 1
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return exit.ExitCode()
}
