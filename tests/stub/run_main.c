/* main() of the program `init`, under a name that leaves this program its own. */
int run_main(int argc, char **argv);

#define main run_main
#include "stage1/main_run.c" /* NOLINT */
