# Read by cpack for each kind of package: a Debian package belongs into /usr, an archive into its own folder.
if(CPACK_GENERATOR STREQUAL "DEB")
  set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
endif()
