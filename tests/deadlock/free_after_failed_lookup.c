/* cannot: the first free comes while the words of an error of dlsym are kept,
 * which the next lookup frees. */
#include <dlfcn.h>

#include "common.h"

int
main(void)
{
    char *volatile p = malloc(10);

    if (dlsym(RTLD_DEFAULT, "no_such_function") != NULL)
        return 1;
    free(p);
    return 0;
}
