/** Of x86-64, and of the kernels that Debian and Ubuntu ship for arm64: what one refault is. */
export const pageBytes = 4096
