DROP TABLE pinak.memory_access, pinak.memory_archive, pinak.curations
