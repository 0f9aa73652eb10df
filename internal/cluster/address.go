package cluster

import (
	"net"
	"net/netip"
	"strconv"
)

// Reachable is host and port under which others reach a listener: with an address of
// this machine if it listens on all of them.
func Reachable(listening net.Addr) string {
	tcp, ok := listening.(*net.TCPAddr)
	if !ok {
		return listening.String()
	}
	ip, ok := netip.AddrFromSlice(tcp.IP)
	if ip = ip.Unmap(); !ok || ip.IsUnspecified() {
		ip = ownAddress()
	}
	return net.JoinHostPort(ip.WithZone(tcp.Zone).String(), strconv.Itoa(tcp.Port))
}

// ownAddress is the first address of this machine that others may reach; that of
// the loopback interface if there is none.
func ownAddress() netip.Addr {
	all, _ := net.InterfaceAddrs() // without any the loopback address is left
	return firstOf(all)
}

// firstOf prefers IPv4, since a list of addresses rarely tells whether an IPv6
// one works everywhere.
func firstOf(all []net.Addr) netip.Addr {
	found := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	for _, a := range all {
		prefix, err := netip.ParsePrefix(a.String())
		ip := prefix.Addr().Unmap()
		if err != nil || !ip.IsGlobalUnicast() {
			continue
		}
		if ip.Is4() {
			return ip
		}
		if found.IsLoopback() {
			found = ip
		}
	}
	return found
}
